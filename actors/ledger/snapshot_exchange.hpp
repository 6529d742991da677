#pragma once
// The state from another member (rule 13), in parts over the bus: for one whose place in the log is no more, because the log's
// beginning was dropped.

#include "actors/bus/bus.hpp"
#include "actors/ledger/ledger.hpp"

namespace poseidon {

/// A question for the state. The first one names no digest: a snapshot is taken, and kept until it is asked for what comes after its last part.
struct ask_snapshot {
  std::string digest;
  std::uint64_t offset = 0;
};
POSEIDON_FIELDS(ask_snapshot, digest, offset)

/// Some bytes of a snapshot; or why there are none.
struct snapshot_part {
  failure why;
  struct position at;
  entry_id last;
  wall_time logged_at;
  std::string digest;
  std::uint64_t offset = 0, total = 0;
  blob bytes;
};
POSEIDON_FIELDS(snapshot_part, why, at, last, logged_at, digest, offset, total, bytes)

struct snapshot_exchange_deps {
  std::shared_ptr<poseidon::bus> bus;
  std::string cluster, process; ///< process: this one
  snapshot_source ledger;
  std::size_t part_bytes = 512u << 10; ///< below the bus's largest frame
  std::size_t kept_max = 3;            ///< for so many who ask at once
};

/// Answers the others' questions; a few snapshots at a time are kept.
caf::actor spawn_snapshot_service(caf::actor_system& system, snapshot_exchange_deps deps);

struct snapshot_question {
  std::shared_ptr<poseidon::bus> bus;
  std::string cluster, process; ///< process: the one that is asked
  millis limit{10'000};         ///< for each question for a part
  unsigned tries = 3;           ///< for each part
};
/// Asks for the state, once: the answer comes to `then`, on any thread. Errors: as the bus's; ledger_unavailable when that process has none;
/// conflict when it took another one meanwhile; bad_request when parts don't fit together. The digest is for whoever decodes it to check.
void ask_for_snapshot(caf::actor_system& system, snapshot_question question, std::function<void(outcome<tail_snapshot_ptr>)> then);

} // namespace poseidon
