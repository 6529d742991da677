#pragma once
// What a registering node holds, against what the fold believes it holds.

#include "actors/fold/step.hpp"

namespace poseidon::folding {

/// Live instances assigned to the node, in the order of their admission.
std::vector<row_number> rows_on(const ledger_state& state, const node_name& node);

/// The copy on its node is gone: an untouched assignment queues again, a marked or a running instance has ended.
void lose_copy(step& st, row_number n);

/// What the fold assigned to the node at or before its position, and its inventory lacks, has ended. What the fold doesn't
/// know, or knows at a lower epoch, is adopted where its slot is free; any other copy is one to be fenced, and holds its
/// room on the node until it has ended.
void take_inventory(step& st, const node_up_entry& e, fold_node& node);

} // namespace poseidon::folding
