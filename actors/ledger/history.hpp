#pragma once
// What happened before somebody began to listen, folded once more from the tail: for a reader that left off at a position.

#include "actors/ledger/tail.hpp"

namespace poseidon {

/// The changes in (after, up_to]. stale: the tail's snapshot is later than `after`; bad_request: it can't be read. Pure.
outcome<ledger_history_ptr> history_of(const tail_contents& tail, const read_history& wanted);

/// Spawns it.
history_actor spawn_history(caf::actor_system& system, tail_actor tail);

} // namespace poseidon
