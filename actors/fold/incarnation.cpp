// A log begins anew (rule 9): the opener's snapshot is the state, and nothing is assigned until its nodes have registered.

#include "actors/fold/fold.hpp"
#include "actors/fold/snapshot.hpp"
#include "actors/fold/step.hpp"

namespace poseidon {

void tell_replaced(const ledger_state& before, const ledger_state& now, ledger_change& change) {
  change.at = now.at;
  now.instances.each([&](row_number n, const fold_row&) { change.instances.push_back(now.instances.ptr(n)); });
  before.instances.each([&](row_number, const fold_row& row) {
    if (now.instances.find(row.id) == no_row) change.forgotten.push_back(row.id);
  });
  for (const auto& [name, node] : now.nodes) change.nodes.push_back(node.row);
  for (const auto& [id, row] : now.challenges) change.challenges.push_back(row);
  for (const auto& [id, row] : before.challenges)
    if (!now.challenges.contains(id)) change.dropped_challenges.push_back(id);
  change.administration = true;
}

namespace folding {
verdict judge(step& st, const incarnation_entry& e) {
  auto& s = st.state;
  if (e.number <= s.at.incarnation || e.number != st.entry.at.incarnation)
    return no_effect(errc::stale, "incarnation " + std::to_string(s.at.incarnation) + " has begun already");
  ledger_state next;
  next.newest = s.newest;
  if (!e.snapshot.empty()) {
    auto decoded = decode_snapshot(e.snapshot.bytes, e.snapshot_digest, s.newest);
    if (!decoded) return no_effect(decoded.error.code, decoded.error.detail);
    next = std::move(*decoded);
  }
  next.inherited = next.at;
  next.at = st.entry.at;
  next.opened_at = st.entry.at.sequence;
  next.awaited.clear();
  for (const auto& [name, node] : next.nodes)
    if (!node.row->lost) next.awaited.insert(name);
  std::swap(s, next);
  tell_replaced(next, s, st.change);
  return accept();
}

} // namespace folding
} // namespace poseidon
