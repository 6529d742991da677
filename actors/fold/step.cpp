#include "actors/fold/step.hpp"

#include <algorithm>

namespace poseidon::folding {

verdict accept(const instance_id& id) { return {verdict_kind::accepted, {}, id}; }

verdict refuse(errc code, std::string detail, std::optional<std::int64_t> retry_after_ms) {
  verdict v{verdict_kind::refused, {}, {}};
  v.why.code = code;
  v.why.detail = std::move(detail);
  v.why.retry_after_ms = retry_after_ms;
  return v;
}

verdict no_effect(errc code, std::string detail, const instance_id& id) {
  verdict v{verdict_kind::without_effect, {}, id};
  v.why.code = code;
  v.why.detail = std::move(detail);
  return v;
}

fold_row& edit(step& st, row_number n) {
  if (st.touched.empty() || st.touched.back() != n) st.touched.push_back(n);
  auto& row = st.state.instances.edit(n);
  row.changed = st.entry.at;
  return row;
}

node_row& edit(step& st, fold_node& node) {
  if (std::find(st.touched_nodes.begin(), st.touched_nodes.end(), &node) == st.touched_nodes.end())
    st.touched_nodes.push_back(&node);
  if (node.row.use_count() > 1) node.row = std::make_shared<node_row>(*node.row);
  else std::atomic_thread_fence(std::memory_order_acquire);
  return *node.row;
}

fold_node* find_node(step& st, const node_name& name) {
  const auto found = st.state.nodes.find(name);
  return found == st.state.nodes.end() ? nullptr : &found->second;
}

void reserve(step& st, fold_node& node, const reserve_spec& need) {
  auto& row = edit(st, node);
  row.reserved_memory_bytes += need.memory_bytes;
  row.reserved_cpu_millis += need.cpu_millis;
  ++row.instances;
}

void release(step& st, const node_name& name, const reserve_spec& need) {
  auto* node = find_node(st, name);
  if (!node) return;
  auto& row = edit(st, *node);
  row.reserved_memory_bytes -= need.memory_bytes;
  row.reserved_cpu_millis -= need.cpu_millis;
  --row.instances;
  st.released = true;
}

void assign(step& st, row_number n, fold_node& node) {
  auto& row = edit(st, n);
  tell_decision(st, row, *node.row);
  row.phase = ledger_phase::assigned;
  row.node = node.row->name;
  row.node_run = node.row->run;
  row.epoch = st.new_epoch();
  st.state.withdrawn_epochs.erase(n);
  row.queue_position = 0;
  row.fact_run = {};
  row.fact_number = 0;
  reserve(st, node, row.spec->reserve);
}

void keep_withdrawn(step& st, const instance_id& id, const struct epoch& epoch, fold_node& node, const reserve_spec& need) {
  const auto [at, fresh] = st.state.withdrawn.try_emplace({id, epoch}, withdrawn_copy{node.row->name, need});
  if (fresh) reserve(st, node, need);
}

bool drop_withdrawn(step& st, const instance_id& id, const struct epoch& epoch) {
  const auto found = st.state.withdrawn.find({id, epoch});
  if (found == st.state.withdrawn.end()) return false;
  release(st, found->second.node, found->second.reserve);
  st.state.withdrawn.erase(found);
  return true;
}

void enqueue(step& st, row_number n) {
  auto& row = edit(st, n);
  row.phase = ledger_phase::queued;
  st.state.queue.add(row.key, row.created, row.id, n);
  ++st.state.waiting;
  row.queue_position = st.state.queue.place_of(row.key, row.created, row.id);
  st.released = true; // also the newcomer's turn may have come
}

void dequeue(step& st, row_number n, bool served) {
  const auto& row = st.state.instances.at(n);
  st.state.queue.remove(row.key, row.created, row.id, served);
  --st.state.waiting;
}

void withdraw(step& st, row_number n, bool keep) {
  auto& row = edit(st, n);
  // The reservation of a copy that may exist moves to the list of withdrawn ones as it is.
  if (keep) st.state.withdrawn.try_emplace({row.id, row.epoch}, withdrawn_copy{row.node, row.spec->reserve});
  else release(st, row.node, row.spec->reserve);
  st.state.withdrawn_epochs.insert_or_assign(n, row.epoch);
  row.node = {};
  row.node_run = {};
  row.epoch = {};
  row.running_at.reset();
  row.ports.clear();
  enqueue(st, n);
}

void give_up_copy(step& st, row_number n) { withdraw(st, n, false); }

bool is_or_was_copy(const ledger_state& state, row_number n, const struct epoch& epoch) {
  return epoch <= last_epoch(state, n) || epoch.incarnation < state.at.incarnation;
}

bool means_instance(end_reason reason) {
  return reason == end_reason::stopped || reason == end_reason::expired || reason == end_reason::solved || reason == end_reason::idle;
}

bool speaks_for_instance(const ledger_state& state, row_number n, const struct epoch& copy, end_reason reason) {
  const auto& row = state.instances.at(n);
  const bool own_deadline = row.phase != ledger_phase::queued && row.expires_at;
  if (reason == end_reason::expired && own_deadline && copy < row.epoch) return false;
  return means_instance(reason) && is_live(row) && is_or_was_copy(state, n, copy);
}

namespace {

/// Takes a live row out of its slot; whoever waited behind it holds the slot from now on.
void leave_slot(step& st, row_number n) {
  auto& s = st.state;
  const auto& row = s.instances.at(n);
  const auto holder = s.instances.find_slot(row.key, slot_challenge(row));
  count_slot(s, holder, -1);
  if (holder != n) { // it waited itself
    s.instances.set_waiter(holder, no_row);
    --s.waiting;
    count_slot(s, holder, +1);
    return;
  }
  if (row.phase == ledger_phase::queued) dequeue(st, n, false);
  else release(st, row.node, row.spec->reserve);
  const auto waiter = s.instances.waiter(n);
  s.instances.set_waiter(n, no_row);
  s.instances.free_slot(n);
  if (waiter == no_row) return;
  s.instances.hold_slot(waiter);
  count_slot(s, waiter, +1);
  --s.waiting;
  enqueue(st, waiter);
}

} // namespace

void end_instance(step& st, row_number n, ending how) {
  leave_slot(st, n);
  auto& row = edit(st, n);
  row.phase = ledger_phase::ended;
  row.epoch = last_epoch(st.state, n);
  st.state.withdrawn_epochs.erase(n);
  row.reason = how.reason;
  row.why = std::move(how.why);
  if (row.stopped_by.empty()) row.stopped_by = std::move(how.by);
  row.ended_at = how.at ? *how.at : st.entry.what->at;
  row.queue_position = 0;
}

void mark_stopped(step& st, row_number n, end_reason reason, const std::string& by) {
  const auto& row = st.state.instances.at(n);
  if (row.stop_mark || !is_live(row)) return;
  if (reason == end_reason::none) reason = end_reason::stopped;
  if (row.phase == ledger_phase::queued) return end_instance(st, n, {reason, {}, by, {}});
  auto& marked = edit(st, n);
  marked.stop_mark = reason;
  marked.stopped_by = by;
  marked.phase = ledger_phase::stopping;
}

} // namespace poseidon::folding
