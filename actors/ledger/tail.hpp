#pragma once
// A member's durable copy of the ledger (docs/ownership.md): a snapshot and the entries after it, in DATA. Entries are in
// it before anything is answered or done because of them.

#include "actors/interfaces.hpp"

namespace poseidon {

/// The state at one position, and which entry of the log that was.
struct tail_snapshot {
  struct position at;
  entry_id last;       ///< the entry at that position
  wall_time logged_at; ///< the log's timestamp of it
  std::string bytes, digest;
};

using tail_snapshot_ptr = std::shared_ptr<const tail_snapshot>;

/// What a member finds at its start.
struct tail_contents {
  using poseidon_message = void;
  std::shared_ptr<const tail_snapshot> snapshot; ///< null: none yet
  std::vector<placed_entry> entries;             ///< in order; some may be older than the snapshot
};
using tail_contents_ptr = std::shared_ptr<const tail_contents>;

struct load_tail {
  using poseidon_message = void;
};
/// Answered when they are committed.
struct append_tail {
  using poseidon_message = void;
  std::shared_ptr<const std::vector<placed_entry>> entries;
};
/// Takes the place of the older snapshot and of every entry up to its position; answered when committed.
struct save_tail_snapshot {
  using poseidon_message = void;
  std::shared_ptr<const tail_snapshot> snapshot;
};
using tail_actor = caf::typed_actor<replies_to<load_tail>::with<outcome<tail_contents_ptr>>, replies_to<append_tail>::with<outcome<done>>,
                                    replies_to<save_tail_snapshot>::with<outcome<done>>>;

/// The tail in a SQLite file of its own. Refusals: see open_store.
outcome<tail_actor> spawn_sqlite_tail(caf::actor_system& system, const std::string& path);

/// A new tail that begins with this snapshot. Refusals: see open_store.
failure make_sqlite_tail(const std::string& path, const tail_snapshot& snapshot);

/// What a tail in memory keeps: outlives its actor, as a disk outlives a process.
struct memory_tail_store {
  tail_contents contents;
  bool away = false; ///< the disk fails: nothing is written or read
};
/// For actor tests and the simulation.
tail_actor spawn_memory_tail(caf::actor_system& system, std::shared_ptr<memory_tail_store> store);

} // namespace poseidon
