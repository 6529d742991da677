// Nodes come, go, and are taken out of service (rules 5, 6, 9, 14). What a node's inventory says is in inventory.cpp.

#include "actors/fold/inventory.hpp"
#include "actors/fold/step.hpp"

#include <algorithm>

namespace poseidon::folding {
namespace {

/// Why this registration is not taken; nothing: it is.
std::optional<verdict> not_taken(const step& st, const node_up_entry& e, const fold_node* known) {
  if (e.incarnation != st.state.at.incarnation)
    return no_effect(errc::stale, "it answers incarnation " + std::to_string(e.incarnation) + ", the present one is " +
                                      std::to_string(st.state.at.incarnation));
  if (!known || known->row->lost) return std::nullopt;
  if (known->row->data != e.data)
    return refuse(errc::name_conflict, "node " + e.node.value + " is alive with another DATA: choose another name");
  if (known->row->run != e.run && e.at < known->row->up_at)
    return no_effect(errc::superseded, "a newer run of " + e.node.value + " has registered");
  return std::nullopt;
}

} // namespace

std::vector<row_number> rows_on(const ledger_state& state, const node_name& node) {
  std::vector<row_number> found;
  state.instances.each([&](row_number n, const fold_row& row) {
    if (row.node == node && is_live(row) && row.phase != ledger_phase::queued) found.push_back(n);
  });
  std::sort(found.begin(), found.end(), [&](row_number a, row_number b) {
    const auto &x = state.instances.at(a), &y = state.instances.at(b);
    return std::tie(x.created, x.id) < std::tie(y.created, y.id);
  });
  return found;
}

namespace {

/// Its node is lost, it is not: queued again under the same id and host, with its deadline and what it used of its extensions.
void recreate(step& st, row_number n) {
  withdraw(st, n, false);
  edit(st, n).restarts = 0;
}

} // namespace

void lose_copy(step& st, row_number n) {
  const auto& row = st.state.instances.at(n);
  if (row.stop_mark) end_instance(st, n, {*row.stop_mark, {}, {}, {}});
  else if (row.phase == ledger_phase::assigned) withdraw(st, n, false);
  else end_instance(st, n, {end_reason::lost, {}, {}, {}});
}

verdict judge(step& st, const node_up_entry& e) {
  auto& s = st.state;
  if (auto no = not_taken(st, e, find_node(st, e.node))) return *no;
  auto& node = s.nodes[e.node];
  if (!node.row) node.row = std::make_shared<node_row>();
  auto& row = edit(st, node);
  row.name = e.node;
  row.run = e.run;
  row.data = e.data;
  row.machine = e.machine;
  row.capacity = e.capacity;
  row.tags = e.tags;
  row.version = e.version;
  row.lost = false;
  row.up_at = st.entry.at;
  take_inventory(st, e, node);
  s.awaited.erase(e.node);
  st.released = true;
  return accept();
}

verdict judge(step& st, const node_lost_entry& e) {
  auto& s = st.state;
  auto* node = find_node(st, e.node);
  if (!node) return refuse(errc::unknown_node, "no node " + e.node.value);
  if (node->row->lost) return no_effect(errc::stale, "it is lost already");
  if (node->row->run != e.run) return no_effect(errc::superseded, "another run of it has registered");
  edit(st, *node).lost = true;
  for (const auto n : rows_on(s, e.node)) {
    const auto& row = s.instances.at(n);
    if (s.admin.limits.recreate_lost && row.phase == ledger_phase::running && !row.stop_mark) recreate(st, n);
    else lose_copy(st, n);
  }
  std::vector<withdrawn_key> gone;
  for (const auto& [key, copy] : s.withdrawn)
    if (copy.node == e.node) gone.push_back(key);
  for (const auto& [id, epoch] : gone) drop_withdrawn(st, id, epoch);
  s.awaited.erase(e.node);
  st.released = true;
  return accept();
}

verdict judge(step& st, const set_node_mode_entry& e) {
  auto* node = find_node(st, e.node);
  if (!node) return refuse(errc::unknown_node, "no node " + e.node.value);
  auto& row = edit(st, *node);
  const bool draining = e.mode == node_mode::draining;
  row.mode = e.mode;
  row.mode_at = st.entry.at;
  row.drain_limit_ms = draining ? std::max<std::int64_t>(e.limit_ms, 0) : 0;
  row.drain_move = draining && e.move;
  st.released = true;
  return accept();
}

} // namespace poseidon::folding
