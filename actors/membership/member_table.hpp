#pragma once
// Who was heard when, and which nodes have been silent for so long that they may be declared lost (LEDGER.md rule 6). Pure.

#include "messages/bus.hpp"

#include <map>
#include <span>

namespace poseidon {

struct member_limits {
  millis suspect_after{3'000}; ///< silence that makes a node suspect
  millis lost_after{15'000};   ///< and lost
  std::string key_check;       ///< of the own cluster key
};

/// A process as it was heard last.
struct member {
  heartbeat said;
  boot_time heard;
  bool suspect = false;
};

/// Counts on the own boot clock alone; other machines' clocks do not matter.
class member_table {
public:
  explicit member_table(member_limits limits) : limits_(std::move(limits)) {}

  /// False for one with another cluster key: it is no member.
  bool heard(heartbeat said, boot_time now);
  /// Silence counts only while bus and log are both there, from when the later of them came (back).
  void bus(bool connected, boot_time now);
  void log(bool connected, boot_time now);
  /// To be called every second or so: a gap of half the loss time means that this process itself was away.
  void tick(boot_time now);

  /// Nodes that have been silent for the whole loss time, as entries to append; each once in a while until it is folded.
  std::vector<node_lost_entry> lost(std::span<const std::shared_ptr<const node_row>> nodes, boot_time now, wall_time wall);
  /// The newest version of the fold's rules that everybody can fold: of all who were heard in the loss time. Nothing until
  /// this process has listened for so long, and while a node that is not lost is not heard (LEDGER.md rule 12).
  std::optional<std::uint32_t> common_fold_version(std::span<const std::shared_ptr<const node_row>> nodes, boot_time now) const;
  /// Everybody who was heard in the last ten minutes, by name and run.
  std::vector<member> members(boot_time now) const;

private:
  void listen(boot_time now);
  struct known {
    heartbeat said;
    boot_time heard;
    std::optional<boot_time> node_heard; ///< with its node's status
  };
  const member_limits limits_;
  std::map<std::pair<std::string, run_id>, known> known_; ///< processes of one machine may share a name
  std::map<std::string, std::pair<run_id, boot_time>> declared_;
  bool bus_ = false, log_ = false;
  std::optional<boot_time> since_, ticked_;
};

} // namespace poseidon
