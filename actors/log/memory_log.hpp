#pragma once
// A log in memory: for actor tests and the simulation. No thread, no clock of its own, and every fault on demand.

#include "actors/log/log.hpp"

namespace poseidon {

/// What a memory log keeps: outlives its front, as a disk outlives a process. Touched only between the scheduler's steps
/// or by the front itself; not thread-safe.
struct memory_log_store {
  std::string log = "memory-1"; ///< identity; changed by wipe()
  std::uint64_t first = 1;
  std::vector<logged_entry> entries; ///< [0] has sequence `first`

  std::uint64_t last() const { return first + entries.size() - 1; }
  log_extent extent() const { return {log, first, last()}; }
  const logged_entry* at(std::uint64_t sequence) const;
  const logged_entry& append(entry_ptr what, wall_time now);

  /// Faults of the log itself. Tell the front afterwards by log_connection, as a reconnect would.
  void wipe();                          ///< everything lost, another identity
  void roll_back(std::uint64_t last);   ///< everything after it lost
};

/// Faults between a front and its store; set at any time between steps.
struct memory_log_faults {
  bool away = false;                 ///< the log does not answer: appends fail, reads fail
  std::uint32_t fail_appends = 0;    ///< the next n entries are refused
  std::uint32_t lose_appends = 0;    ///< the next n entries vanish, and nobody is told
  std::uint32_t lose_acks = 0;       ///< the next n entries are appended, and reported as unknown_outcome
  std::uint32_t duplicate_appends = 0; ///< the next n entries are appended twice
  bool hold = false;                 ///< appends wait until release_held
};

/// Appends what has been held back.
struct release_held {
  using poseidon_message = void;
};
/// A log's front that can also be told of reconnects and releases.
using memory_log_actor = log_actor::extend<reacts_to<release_held>, reacts_to<log_connection>>;

struct memory_log_deps {
  std::shared_ptr<memory_log_store> store;
  std::shared_ptr<memory_log_faults> faults; ///< may be null
  const clock* time = nullptr;               ///< the log's own timestamps
};

/// Spawns the front of a memory log.
memory_log_actor spawn_memory_log(caf::actor_system& system, memory_log_deps deps);

} // namespace poseidon
