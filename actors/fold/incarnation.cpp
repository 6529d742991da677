// A log begins anew (rule 9): the opener's snapshot is the state, and nothing is assigned until its nodes have registered.

#include "actors/fold/snapshot.hpp"
#include "actors/fold/step.hpp"

namespace poseidon::folding {
namespace {

/// Everything may have changed: readers are told every row, and what is no more.
void tell_all(step& st, const ledger_state& before) {
  auto& s = st.state;
  s.instances.each([&](row_number n, const fold_row&) { st.touched.push_back(n); });
  before.instances.each([&](row_number, const fold_row& row) {
    if (s.instances.find(row.id) == no_row) st.change.forgotten.push_back(row.id);
  });
  for (auto& [name, node] : s.nodes) st.touched_nodes.push_back(&node);
  for (const auto& [id, row] : s.challenges) st.change.challenges.push_back(row);
  for (const auto& [id, row] : before.challenges)
    if (!s.challenges.contains(id)) st.change.dropped_challenges.push_back(id);
  st.change.administration = true;
}

} // namespace

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
  tell_all(st, next);
  return accept();
}

} // namespace poseidon::folding
