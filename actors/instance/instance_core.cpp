#include "actors/instance/instance_core.hpp"

#include "actors/instance/deadline.hpp"
#include "actors/instance/start_failure.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr millis removal_limit{40'000};

} // namespace

void instance_core::start(std::shared_ptr<const instance_deps> deps, const instance_seed& seed) {
  deps_ = std::move(deps);
  awake_ = std::make_unique<awake_record>(awake_record{std::make_shared<journal_record>(*seed.record), nullptr});
  shared_ = false;
  auto& record = edit();
  record.run = deps_->run;
  phase_ = seed.adopt ? record.phase : phase::assigned;
  made_ = seed.adopt;
  // Known by wall time alone (moved, or after a reboot), it counts on the boot clock from here on, whatever is done to the wall clock.
  if (auto& deadline = record.deadline) deadline->boot = reckon(*deadline, deps_->boot_id, now(), deps_->time->wall_now()), deadline->boot_id = deps_->boot_id;
  entered_ = now();
  due_ = entered_ + millis{record.spec->start_limit_ms};
  if (auto end_at = lifetime_end(); end_at && *end_at < due_) due_ = *end_at;
  if (seed.adopt)
    take_over();
  else
    fire(record.reason == end_reason::none ? trigger::begin : trigger::fence);
}

void instance_core::take_over() {
  if (phase_ == phase::gone) {
    forget();
    return;
  }
  report();
  const bool has_run = phase_ == phase::running || phase_ == phase::restarting;
  if (has_run) due_ = lifetime_end().value_or(due_);
  if (ending()) {
    fire(trigger::adopt);
  } else if (record().reason != end_reason::none) {
    fire(has_run ? trigger::stop : trigger::fence);
  } else if (due_ <= now()) {
    end_for_deadline();
    fire(trigger::deadline);
  } else {
    fire(trigger::adopt);
    if (has_run && warns() && due_ - now() <= deps_->expiring_before) say_expiring(); // the ledger knows whether an earlier run did
  }
}

/// One timer serves both: that the deadline is near, and the deadline.
boot_time instance_core::next_wake() const {
  const bool near_is_told = warned_ || (phase_ != phase::running && phase_ != phase::restarting);
  const auto near_at = due_ - deps_->expiring_before;
  return near_is_told || near_at <= now() ? due_ : near_at;
}

/// One whose whole life is shorter than the notice says nothing.
bool instance_core::warns() const {
  const auto& r = record();
  return r.running_at && r.deadline && r.deadline->wall - *r.running_at > deps_->expiring_before;
}

void instance_core::fire(trigger on) {
  if (queue_) {
    queue_->push_back(on);
    return;
  }
  std::vector<trigger> queue{on};
  queue_ = &queue;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const auto* row = find_transition(phase_, queue[i]);
    if (!row) continue;
    if (row->to != phase_) enter(row->to);
    for (auto what : row->effects) perform(what);
    if (row->to == phase::running && row->from != phase::running) work_.reset();
  }
  queue_ = nullptr;
  // While it ends, a timer that comes earlier will do: it is armed again then, if it is still there.
  const auto wake = next_wake();
  const bool early_enough = wake == armed_ || (ending() && armed_.ms != 0 && armed_ < wake);
  if (phase_ != phase::gone && !early_enough) {
    armed_ = wake;
    self_->send(deps_->timers, arm_timer{me(), deadline_timer, wake});
  }
  settle();
}

void instance_core::enter(phase to) {
  const auto time = now();
  if (deps_->telemetry) self_->send(deps_->telemetry, phase_timing{phase_, (time - entered_).count()});
  const bool still_starting = to < phase::probing;
  phase_ = to;
  entered_ = time;
  attempts_ = 0;
  if (!still_starting) step_ = step::none;
  switch (to) {
  case phase::probing: busy().began = time; break;
  case phase::restarting: busy().began = time; break;
  case phase::stopping: due_ = time + stop_grace(*record().spec) + engine_answers_a_stop; break;
  case phase::capturing: due_ = time + capture_limit; break;
  case phase::removing: due_ = time + removal_limit; break;
  default: break;
  }
  report();
}

void instance_core::perform(effect what) {
  if (cutting_ && (what == effect::stop_group || what == effect::remove)) {
    after_cut_ = what;
    return;
  }
  switch (what) {
  case effect::nothing: break;
  case effect::announce: announce(); break;
  case effect::commit: commit(); break;
  case effect::ensure: ensure(); break;
  case effect::inspect: inspect(); break;
  case effect::probe: probe(); break;
  case effect::put_route: put_route_now(); break;
  case effect::start_again: start_again(); break;
  case effect::plan_restart: plan_restart(); break;
  case effect::note_exit: break; // on_service_exit keeps it; on_group looks at it
  case effect::read_tail: read_tail(); break;
  case effect::probe_later: set_step(step::probe, probe_delay(deps_->probe_interval, now() - busy().began)); break;
  case effect::look_later: set_step(step::look, back_off(attempts_++, millis{50}, millis{5'000})); break;
  case effect::remove_later: set_step(step::remove, back_off(attempts_++, millis{100}, millis{5'000})); break;
  case effect::cut_route: cut_route(); break;
  case effect::stop_group: stop_group_now(); break;
  case effect::capture: capture(); break;
  case effect::remove:
    due_ = now() + removal_limit;
    remove();
    break;
  case effect::refresh: refresh_file(); break;
  case effect::say_running: say_running_fact(); break;
  case effect::say_restarted: say_restarted_fact(); break;
  case effect::say_stopping: say(stopping_entry{head(), record().reason, record().stopped_by}); break;
  case effect::release_slot: say_end_fact(); break;
  case effect::forget: after_commit([this] { forget(); }); break;
  }
}

void instance_core::end(end_reason reason, failure why, const std::string& by) {
  if (record().reason != end_reason::none) return;
  auto& r = edit();
  r.reason = reason;
  r.why = std::move(why);
  r.stopped_by = by;
}

void instance_core::end_for_deadline() {
  const auto end_at = lifetime_end();
  if (ending()) return;
  if (!starting_up() || (end_at && *end_at <= now())) {
    end(end_reason::expired);
    return;
  }
  failure why;
  const auto limit = std::to_string(record().spec->start_limit_ms / 1000) + " s";
  const auto& w = busy();
  if (phase_ == phase::probing && w.note.empty()) {
    why.code = errc::never_healthy;
    why.detail = "not healthy within the start limit of " + limit + (w.problem.detail.empty() ? "" : ": " + w.problem.detail);
  } else {
    why.code = errc::start_limit_exceeded;
    why.detail = "still " + std::string{to_string(phase_)} + " after the start limit of " + limit + (w.note.empty() ? "" : ": " + w.note);
  }
  end(end_reason::failed, std::move(why));
}

void instance_core::on_timer(const timer_due& m) {
  const auto time = now();
  if (m.token == deadline_timer) {
    if (phase_ == phase::gone) return;
    armed_ = {};
    if (time < due_) return say_expiring();
    end_for_deadline();
    fire(trigger::deadline);
  } else if (m.token == step_timer) {
    if (step_ != step::none && time >= step_due_) take_step(std::exchange(step_, step::none));
  } else {
    pump();
  }
}

void instance_core::take_step(step what) {
  switch (what) {
  case step::none: break;
  case step::probe: fire(trigger::probe_due); break;
  case step::look: fire(trigger::look_due); break;
  case step::restart: fire(trigger::restart_due); break;
  case step::remove: fire(trigger::remove_due); break;
  case step::forget: forget(); break;
  case step::give_up:
    if (const auto& exit = busy().exit; exit && exit->exit_code == 0 && !exit->out_of_memory)
      end(end_reason::stopped, {}, "service:" + exit->service);
    else
      end(end_reason::failed, busy().problem);
    fire(trigger::give_up);
    break;
  }
}

void instance_core::set_step(step what, millis after) {
  step_ = what;
  step_due_ = now() + after;
  self_->send(deps_->timers, arm_timer{me(), step_timer, step_due_});
}

void instance_core::on_fence(const fence_instance& m) {
  end(m.reason);
  fire(trigger::fence);
}

void instance_core::on_engine(const engine_changed& m) {
  engine_up_ = m.up;
  fire(m.up ? trigger::engine_up : trigger::engine_down);
}

void instance_core::on_progress(const group_progress& m) {
  if (m.key != key()) return;
  switch (m.step) {
  case group_step::pulling: fire(trigger::pulling); break;
  case group_step::creating: fire(trigger::creating); break;
  case group_step::starting: fire(trigger::starting); break;
  }
  if (m.percent && phase_ == phase::pulling) report(m.percent);
}

void instance_core::report(std::optional<std::uint32_t> percent) {
  if (!deps_->telemetry || phase_ == phase::gone) return;
  self_->send(deps_->telemetry, instance_progress{record().instance, record().epoch, phase_, percent, work_ ? work_->note : std::string{}});
}

journal_record& instance_core::edit() {
  auto& record = awake().record;
  if (shared_) record = std::make_shared<journal_record>(*record);
  shared_ = false;
  return *record;
}

void instance_core::settle() {
  if (phase_ != phase::running || queue_ || book_ || work_ || !awake_) return;
  resting_ = resting_record(*awake_);
  awake_.reset();
}

awake_record& instance_core::awake() const {
  if (!awake_) {
    awake_ = std::make_unique<awake_record>(resting_.wake());
    shared_ = false;
  }
  return *awake_;
}

std::optional<boot_time> instance_core::lifetime_end() const {
  if (!record().deadline) return std::nullopt;
  return reckon(*record().deadline, deps_->boot_id, now(), deps_->time->wall_now());
}

instance_core::work& instance_core::busy() {
  if (!work_) work_ = std::make_unique<work>();
  return *work_;
}

instance_actor instance_core::me() const { return caf::actor_cast<instance_actor>(self_->ctrl()); }

} // namespace poseidon
