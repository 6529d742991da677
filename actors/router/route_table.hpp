#pragma once
// Which host leads where. Pure: decisions only; the data plane performs the changes that they return.

#include "messages/commands.hpp"

#include <set>
#include <unordered_map>

namespace poseidon {

/// `replaced`: this epoch is over, a newer one will follow.
enum class route_phase : std::uint8_t { pending, ready, ended, replaced };
POSEIDON_ENUM(route_phase, pending, ready, ended, replaced)

/// True for a route without an endpoint: its instance runs on another machine, and is reached through the edge there, which alone
/// judges its deadline.
bool is_elsewhere(const route& which);

/// What is known of one host.
struct route_entry {
  struct route route;
  route_phase phase = route_phase::pending;
  end_reason reason = end_reason::none; ///< when ended
  wall_time since;                      ///< of this phase; when ended: the end
  node_name node = {};                  ///< whose word it is when ready: a node process of this machine; empty: this process's, or the ledger's
  friend bool operator==(const route_entry&, const route_entry&) = default;
};
POSEIDON_FIELDS(route_entry, route, phase, reason, since, node)

/// One step for the data plane.
struct route_change {
  route_entry now;
  bool cut = false;       ///< the connections that use what was there before end at once
  bool forgotten = false; ///< the host is unknown from now on
};

/// The answer to one message.
struct route_verdict {
  failure refused; ///< ok: acknowledge once the changes are applied
  std::vector<route_change> changes;
};

/// The table as a file holds it; see docs/operations.md.
struct route_snapshot {
  static constexpr std::uint32_t schema_now = 1;
  std::uint32_t schema = schema_now;
  machine_id machine; ///< pids and boot times mean something on this machine, in this boot, only
  std::vector<route_entry> entries;
};
POSEIDON_FIELDS(route_snapshot, schema, machine, entries)

/// The route table of one edge. A host's entry gives way to a higher epoch only; within one epoch `ended` and
/// `replaced` are final, and everything else may be said again.
class route_table {
public:
  struct limits {
    std::size_t entries_max = 200'000;
    millis ended_kept{24 * 3'600'000};
  };
  route_table() : route_table(limits{}) {}
  explicit route_table(limits bounds) : limits_(bounds) {}

  /// Serve. Errors: invalid_field (not a host, neither endpoint nor machine), stale (a lower epoch, or this one has ended), capacity_exhausted.
  /// `node`: as route_entry::node.
  route_verdict put(const route& wanted, wall_time now, const node_name& node = {});
  /// Known, not ready: also takes a ready route of the same epoch back (its service starts again). Errors: as put.
  route_verdict announce(const announce_route& wanted, wall_time now);
  /// Over. Ending an older epoch, or one that has ended, is no error and changes nothing.
  route_verdict end(const end_route& wanted, wall_time now);
  /// The node has named every host that it holds: whatever else of it is ready is pending from now on, until somebody says more.
  std::vector<route_change> retain(const node_name& node, const std::set<std::string>& hosts, wall_time now);
  /// Forgets what has not been ready for longer than a day.
  std::vector<route_change> sweep(wall_time now);

  const route_entry* find(const std::string& host) const;
  std::size_t size() const { return entries_.size(); }

  /// Every entry, in order of host.
  route_snapshot snapshot(const machine_id& machine) const;
  /// Takes over the entries of a snapshot that are valid and not older than what is there (a bad one stops only itself).
  /// What was ready on another machine, or before a reboot, is pending now. Deadlines before `judged_from` are moved there: their
  /// node may have said later ones while nobody listened, and has until then to say them again. Returns the changes.
  std::vector<route_change> restore(const route_snapshot& from, const machine_id& machine, wall_time now, boot_time judged_from = {});

private:
  route_verdict set(route_entry entry, bool cut);
  /// Forgets the oldest ended entry; nothing when all are live.
  std::optional<route_change> make_room();
  void unlist(const route_entry& entry);

  limits limits_;
  std::unordered_map<std::string, route_entry> entries_;
  std::set<std::pair<wall_time, std::string>> idle_; ///< whatever is not ready, oldest first
};

} // namespace poseidon
