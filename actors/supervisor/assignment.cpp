#include "actors/supervisor/assignment.hpp"

namespace poseidon {
namespace {

duty duty_to_held(const instance_row& row, const epoch& held, const node_licence& me) {
  if (!is_live(row)) {
    if (!row.epoch.empty() && row.epoch < held) return {}; // the end of an earlier copy
    return {duty_kind::fence, row.reason, row.stopped_by};
  }
  // A log that began anew may have forgotten the assignment: it takes it from this node's registration, and only then is it known.
  if (row.epoch.empty() && held.incarnation < me.incarnation && !me.registered) return {};
  if (row.epoch.empty() || row.epoch > held) return {duty_kind::fence, end_reason::fenced, {}};
  if (row.epoch == held && row.stop_mark) return {duty_kind::stop, *row.stop_mark, row.stopped_by};
  return {};
}

} // namespace

duty decide_duty(const instance_row& row, const std::optional<epoch>& held, const std::optional<epoch>& last_held,
                 const node_licence& me) {
  if (held) return duty_to_held(row, *held, me);
  const bool unbegun = row.phase == ledger_phase::assigned || (row.phase == ledger_phase::stopping && row.stop_mark);
  if (!unbegun || row.node != me.node || row.node_run != me.run || !me.registered) return {};
  if (last_held && row.epoch <= *last_held) return {};
  if (row.stop_mark) return {duty_kind::end_unborn, *row.stop_mark, row.stopped_by};
  return {duty_kind::launch, end_reason::none, {}};
}

bool leaves_unbegun(const instance_row& before, const instance_row& now, const std::optional<epoch>& last_held, const node_licence& me) {
  const auto ours = [&me](const instance_row& row) { return row.node == me.node && row.node_run == me.run; };
  return is_live(now) && ours(before) && !ours(now) && (!last_held || *last_held < before.epoch);
}

} // namespace poseidon
