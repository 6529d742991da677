#pragma once
// The rules of the ledger, as one pure function (LEDGER in docs/ownership.md).

#include "actors/fold/state.hpp"

namespace poseidon {

/// Judges one entry and moves the state on to its position. `change` is filled with what it changed (its former contents
/// are dropped). Entries must come in order of positions; one at or before the state's own position, and one of another
/// incarnation than the present, has no effect and leaves the position as it is.
verdict fold(ledger_state& state, const placed_entry& entry, ledger_change& change);

/// Tells a reader of `before` everything that is different in `now`, which takes its place as a whole: every row, and what is no more.
void tell_replaced(const ledger_state& before, const ledger_state& now, ledger_change& change);

} // namespace poseidon
