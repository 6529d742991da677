// New assignments of live instances: reset, drain, re-creation (rule 4), and what a node refused (rule 2).

#include "actors/fold/step.hpp"

#include <algorithm>

namespace poseidon::folding {
namespace {

/// The old assignment ends here; what the move keeps of the instance's time is its entry's affair.
void carry_time(fold_row& row, const move_entry& e) {
  row.running_at.reset();
  row.expires_at = e.expires_at;
  row.extensions_used_ms = e.extensions_used_ms;
  row.ports.clear();
  row.restarts = 0;
}

/// Stays on its node, and its reservation with it: the node removes the old copy first.
verdict reset(step& st, const move_entry& e, row_number n) {
  auto& row = edit(st, n);
  const auto* node = find_node(st, row.node);
  carry_time(row, e);
  row.phase = ledger_phase::assigned;
  row.node_run = node->row->run;
  row.epoch = st.new_epoch();
  row.fact_run = {};
  row.fact_number = 0;
  tell_stay(st, row);
  return accept(row.id);
}

/// To another node (drain), or to any (re-creation); the old copy stays reserved until its node says `ended`.
verdict relocate(step& st, const move_entry& e, row_number n) {
  auto& s = st.state;
  const auto row = s.instances.ptr(n);
  auto avoid = row->excluded;
  if (e.reason == move_reason::drain) avoid.push_back(row->node);
  const auto* best = place(ready_nodes(s, avoid, images_there(st, row->id)), *row->spec, s.admin.limits);
  if (!best && e.reason == move_reason::drain)
    return no_effect(errc::capacity_exhausted, "no other node has room", row->id);
  const auto target = best ? best->name : node_name{};
  withdraw(st, n, true);
  carry_time(edit(st, n), e);
  if (!best) return {verdict_kind::queued, {}, row->id};
  dequeue(st, n, false);
  assign(st, n, s.nodes.at(target));
  return accept(row->id);
}

} // namespace

verdict judge(step& st, const move_entry& e) {
  auto& s = st.state;
  note_loads(s, e.loads);
  const auto n = s.instances.find(e.instance);
  if (n == no_row) return refuse(errc::unknown_instance, "no instance " + e.instance.value);
  const auto& row = s.instances.at(n);
  if (!is_live(row)) return no_effect(errc::instance_ended, "it has ended", e.instance);
  if (row.phase == ledger_phase::queued) return no_effect(errc::instance_not_running, "it is queued", e.instance);
  if (row.stop_mark) return no_effect(errc::instance_ended, "it is stopping", e.instance);
  if (row.epoch != e.expected) return no_effect(errc::superseded, "it has moved meanwhile", e.instance);
  if (!s.gate_open()) return no_effect(errc::rebuilding, "the ledger waits for its nodes to register", e.instance);
  return e.reason == move_reason::reset ? reset(st, e, n) : relocate(st, e, n);
}

verdict judge(step& st, const refused_entry& e) {
  auto& s = st.state;
  const auto n = s.instances.find(e.head.instance);
  if (n == no_row) return no_effect(errc::unknown_instance, "no instance " + e.head.instance.value);
  const auto id = e.head.instance;
  const auto& row = s.instances.at(n);
  if (!is_live(row) || row.phase == ledger_phase::queued || row.epoch != e.head.epoch || row.node != e.head.node) {
    if (drop_withdrawn(st, id, e.head.epoch)) return accept(id);
    return no_effect(errc::superseded, "of another assignment", id);
  }
  const auto why = std::make_shared<const failure>(e.why);
  if (row.stop_mark) {
    end_instance(st, n, {*row.stop_mark, {}, {}, {}});
    return accept(id);
  }
  auto& changed = edit(st, n);
  if (std::find(changed.excluded.begin(), changed.excluded.end(), changed.node) == changed.excluded.end())
    changed.excluded.push_back(changed.node);
  if (!could_ever_fit(s, *changed.spec, changed.excluded)) {
    end_instance(st, n, {end_reason::failed, why, {}, {}});
    return accept(id);
  }
  changed.why = why;
  withdraw(st, n, false);
  return accept(id);
}

} // namespace poseidon::folding
