#pragma once
// The embedded log: one SQLite table. A commit survives kill -9; entries of administration are synced to the disk.

#include "actors/log/log.hpp"

#include <functional>

namespace poseidon {

/// From the store's thread: these were committed, in order.
struct log_stored {
  using poseidon_message = void;
  std::shared_ptr<const std::vector<logged_entry>> entries;
};
/// From the store's thread: a read for a lagging follower, or for a request.
struct log_was_read {
  using poseidon_message = void;
  std::uint64_t token = 0;    ///< of a request; 0: for the follower
  caf::actor_addr follower;
  std::uint64_t after = 0;    ///< what the follower had been sent when the read began
  std::shared_ptr<const std::vector<logged_entry>> entries;
  failure error;
};
/// From the store's thread: entries were dropped.
struct log_trimmed {
  using poseidon_message = void;
  std::uint64_t token = 0, first = 0;
  bool more = false; ///< a slice of many
  failure error;
};
using sqlite_log_actor = log_actor::extend<reacts_to<log_stored>, reacts_to<log_was_read>, reacts_to<log_trimmed>>;

struct sqlite_log_options {
  std::string path;                  ///< of the file
  std::size_t queue = 65'536;        ///< most appends that wait for the disk; more: ledger_unavailable
  std::size_t recent = 16'384;       ///< entries kept in memory for followers that keep up
};

/// Opens the log and spawns its front; `time` outlives it. Refusals: see open_store.
outcome<log_actor> spawn_sqlite_log(caf::actor_system& system, const sqlite_log_options& options, const clock& time);

/// Entries that must survive a power failure: keys, settings, limits, challenges, and what begins a log.
bool is_durable(const entry_body& body);

} // namespace poseidon
