#pragma once

#include "actors/membership/member_table.hpp"

#include <mutex>

namespace poseidon {

/// What this process knows of the others, for readers on any thread. Written by the membership actor.
class member_board {
public:
  void put(std::vector<member> all) {
    const std::lock_guard lock{mutex_};
    all_ = std::move(all);
  }
  std::vector<member> all() const {
    const std::lock_guard lock{mutex_};
    return all_;
  }
  /// The process that runs a node, in the run that was heard last.
  std::optional<member> node(std::string_view name) const {
    const std::lock_guard lock{mutex_};
    const member* last = nullptr;
    for (const auto& one : all_)
      if (one.said.node && one.said.process == name && (!last || last->heard < one.heard)) last = &one;
    return last ? std::optional{*last} : std::nullopt;
  }

  /// How far the wall clock of a node's machine is ahead of this one's, as it was heard last; nothing: never heard. The times are
  /// this process's. Late by what a heartbeat travels, so that a deadline translated by it is never early; less than a second
  /// can't be told from that, and counts as the same clock.
  std::optional<millis> clock_ahead(std::string_view name, boot_time now, wall_time wall) const {
    const auto heard = node(name);
    if (!heard || heard->said.at.ms == 0) return std::nullopt;
    const auto ahead = heard->said.at - (wall - (now - heard->heard));
    return ahead > -same_clock && ahead < same_clock ? millis{0} : ahead;
  }

  /// Where the edges of a machine take connections of other machines' edges, "host:port".
  std::vector<std::string> relays_of(const machine_id& machine) const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> found;
    for (const auto& one : all_)
      if (!one.suspect && one.said.machine == machine && !one.said.relay.empty()) found.push_back(one.said.relay);
    return found;
  }

private:
  static constexpr millis same_clock{1'000};
  mutable std::mutex mutex_;
  std::vector<member> all_;
};

} // namespace poseidon
