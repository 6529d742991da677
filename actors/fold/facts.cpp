// What nodes say about their instances (rules 3 and 7). A fact counts once, and only for the assignment it speaks of;
// what an older copy says releases that copy's reservation, and may mean the instance.

#include "actors/fold/step.hpp"

namespace poseidon::folding {
namespace {

struct target {
  row_number n = no_row;
  bool current = false;      ///< speaks of the present assignment
  std::optional<verdict> no; ///< has no effect, whatever it says
};

target find_target(step& st, const fact_head& head) {
  auto& s = st.state;
  target t{s.instances.find(head.instance), false, std::nullopt};
  if (t.n == no_row) {
    t.no = no_effect(errc::unknown_instance, "no instance " + head.instance.value, head.instance);
    return t;
  }
  const auto& row = s.instances.at(t.n);
  if (!is_live(row)) {
    t.no = no_effect(errc::instance_ended, "it has ended", head.instance);
    return t;
  }
  t.current = row.phase != ledger_phase::queued && row.epoch == head.epoch && row.node == head.node;
  if (!t.current) t.no = no_effect(errc::superseded, "of another assignment", head.instance);
  else if (row.fact_run == head.run && head.number <= row.fact_number)
    t.no = no_effect(errc::stale, "repeated", head.instance);
  return t;
}

fold_row& edit_fact(step& st, row_number n, const fact_head& head) {
  auto& row = edit(st, n);
  row.fact_run = head.run;
  row.fact_number = head.number;
  return row;
}

void take_deadline(fold_row& row, wall_time expires_at) {
  if (row.expires_at != expires_at) row.expiring_said = false;
  row.expires_at = expires_at;
}

/// A copy that is not the present one, of an instance that lives: did it end because somebody ended the instance?
bool another_copy_means_it(const step& st, const target& t, const fact_head& head, end_reason reason) {
  return t.n != no_row && !t.current && speaks_for_instance(st.state, t.n, head.epoch, reason);
}

} // namespace

verdict judge(step& st, const running_entry& e) {
  const auto t = find_target(st, e.head);
  if (t.no) return *t.no;
  auto& row = edit_fact(st, t.n, e.head);
  if (row.phase == ledger_phase::assigned) row.phase = ledger_phase::running;
  row.running_at = e.running_at;
  take_deadline(row, e.expires_at);
  row.ports = e.ports;
  row.why = nullptr; // what other nodes refused is settled
  return accept(row.id);
}

verdict judge(step& st, const deadline_moved_entry& e) {
  const auto t = find_target(st, e.head);
  if (t.no) return *t.no;
  auto& row = edit_fact(st, t.n, e.head);
  take_deadline(row, e.expires_at);
  row.extensions_used_ms = e.extensions_used_ms;
  return accept(row.id);
}

verdict judge(step& st, const restarted_entry& e) {
  const auto t = find_target(st, e.head);
  if (t.no) return *t.no;
  auto& row = edit_fact(st, t.n, e.head);
  row.restarts = e.count;
  return accept(row.id);
}

verdict judge(step& st, const expiring_entry& e) {
  const auto t = find_target(st, e.head);
  if (t.no) return *t.no;
  auto& row = edit_fact(st, t.n, e.head);
  if (row.expires_at != e.expires_at) return no_effect(errc::superseded, "its deadline is another by now", row.id);
  if (row.expiring_said) return no_effect(errc::stale, "said already", row.id); // by a run of the node that ended since
  row.expiring_said = true;
  return accept(row.id);
}

verdict judge(step& st, const stopping_entry& e) {
  const auto t = find_target(st, e.head);
  if (another_copy_means_it(st, t, e.head, e.reason)) {
    mark_stopped(st, t.n, e.reason, e.actor);
    return accept(e.head.instance);
  }
  if (t.no) return *t.no;
  edit_fact(st, t.n, e.head);
  mark_stopped(st, t.n, e.reason, e.actor);
  return accept(e.head.instance);
}

verdict judge(step& st, const ended_entry& e) {
  const auto t = find_target(st, e.head);
  const bool dropped = drop_withdrawn(st, e.head.instance, e.head.epoch);
  if (another_copy_means_it(st, t, e.head, e.reason)) {
    mark_stopped(st, t.n, e.reason, e.actor);
    return accept(e.head.instance);
  }
  if (t.no) return dropped ? accept(e.head.instance) : *t.no;
  auto& row = edit_fact(st, t.n, e.head);
  if (e.reason == end_reason::fenced && !row.stop_mark) {
    give_up_copy(st, t.n);
    return accept(e.head.instance);
  }
  const bool by_mark = row.stop_mark && !means_instance(e.reason);
  ending how{by_mark ? *row.stop_mark : e.reason, nullptr, e.actor, e.ended_at};
  if (e.why) how.why = std::make_shared<const failure>(e.why);
  if (e.reason == end_reason::failed && !by_mark) row.stopped_by.clear();
  end_instance(st, t.n, std::move(how));
  return accept(e.head.instance);
}

} // namespace poseidon::folding
