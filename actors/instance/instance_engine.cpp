// What the instance actor asks of the engine. A timeout means unknown: look, then decide.

#include "actors/instance/deadline.hpp"
#include "actors/instance/instance_core.hpp"
#include "actors/instance/plan.hpp"
#include "actors/instance/service_restart.hpp"
#include "actors/instance/start_failure.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr millis inspect_limit{11'000};
constexpr millis remove_limit{35'000};
constexpr millis start_limit{60'000};
constexpr millis answer_slack{2'000}; ///< beyond the time that the runtime was given
constexpr millis tail_limit{2'000};
constexpr std::uint32_t tail_lines = 20;
constexpr std::uint32_t captured_lines = 10'000;
constexpr millis give_up_after{1'000};       ///< an engine that is going down shows it within this time
constexpr millis untouched_engine_limit{3'000};
constexpr millis engine_patience{15'000};    ///< an engine that restarts is back by then; after it the instance is tried elsewhere

} // namespace

void instance_core::watch() {
  if (std::exchange(watching_, true)) return;
  self_->send(deps_->runtime, watch_group{key(), me()});
}

void instance_core::ensure() {
  watch();
  const auto limit = starting_up() ? std::max(due_ - now(), millis{1}) : start_limit;
  engine_call(
      limit + answer_slack, ensure_group{make_plan(record(), deps_->time->wall_now()), limit.count()},
      [this](const group_state& group) { on_group(group); }, [this](const failure& f) { on_engine_failure(f); });
}

void instance_core::inspect() {
  watch();
  engine_call(
      inspect_limit, inspect_group{key()},
      [this](const group_state& group) {
        if (group.running())
          on_group(group);
        else
          fire(trigger::absent);
      },
      [this](const failure& f) {
        if (f.code == errc::unknown_instance)
          fire(trigger::absent);
        else if (starting_up() && f.code == errc::engine_unavailable)
          on_engine_failure(f);
        else
          fire(trigger::unclear);
      });
}

void instance_core::start_again() {
  watch();
  engine_call(
      start_limit + answer_slack, start_group_again{key(), start_limit.count()},
      [this](const group_state& group) { on_group(group); },
      [this](const failure& f) {
        if (f.code == errc::unknown_instance)
          ensure(); // its containers are gone: new ones under the same name, URL and deadline
        else
          on_engine_failure(f);
      });
}

void instance_core::on_group(const group_state& group) {
  made_ = true;
  attempts_ = 0;
  if (const auto* service = routed_service(*record().spec, group)) {
    if (!where())
      where() = std::make_unique<endpoint>(service->where);
    else if (!(*where() == service->where))
      *where() = service->where;
    if (record().ports != service->ports) edit().ports = service->ports;
  }
  const bool exit_seen = starting_up() && work_ && work_->exit;
  fire(trigger::ensured);
  if (exit_seen) fire(trigger::exited); // it came before the answer that it runs
}

void instance_core::on_engine_failure(const failure& f) {
  busy().problem = f;
  const bool wait_for_engine = f.code == errc::engine_unavailable && (!starting_up() || now() - entered_ < engine_patience);
  if (is_unclear(f.code) || wait_for_engine) {
    fire(trigger::unclear);
  } else if (phase_ == phase::restarting) {
    busy().exit = service_exited{key(), record().spec->services.front().name, -1, false};
    fire(trigger::start_failed);
  } else {
    end(end_reason::failed, f);
    fire(trigger::start_failed);
  }
}

void instance_core::on_service_exit(const service_exited& m) {
  if (m.key != key() || ending()) return;
  busy().exit = m;
  if (!starting_up()) {
    failure why;
    why.code = m.out_of_memory ? errc::out_of_memory : errc::service_died;
    why.detail = "service " + m.service + (m.out_of_memory ? " ran out of memory" : " ended with code " + std::to_string(m.exit_code));
    busy().problem = std::move(why);
  }
  fire(trigger::exited);
}

void instance_core::plan_restart() {
  ++operation_;
  auto& w = busy();
  if (!engine_up_ || !w.exit) { // the engine's doing: it is started again when the engine is back, and not counted
    perform(effect::look_later);
    return;
  }
  const auto decision = decide_service_restart(*record().spec, *w.exit, record().restarts, now());
  if (!decision.allowed) {
    set_step(step::give_up, give_up_after);
    return;
  }
  note_restart(rule_of(*record().spec), edit().restarts, now());
  set_step(step::restart, decision.delay);
}

void instance_core::read_tail() {
  const auto exit = busy().exit.value_or(service_exited{});
  auto failed = [this, exit](std::string tail) {
    end(end_reason::failed, exit_failure(exit, std::move(tail)));
    fire(trigger::start_failed);
  };
  engine_call(
      tail_limit, read_group_logs{key(), exit.service, tail_lines}, [failed](log_text text) { failed(std::move(text.text)); },
      [failed](const failure&) { failed({}); });
}

void instance_core::stop_group_now() {
  const auto time = now();
  const auto end_at = lifetime_end();
  auto plan = plan_stop(*record().spec, end_at, time);
  if (record().reason == end_reason::expired) plan = plan_expiry(*record().spec, end_at.value_or(time), time);
  if (record().reason == end_reason::failed || record().reason == end_reason::fenced) plan.grace = millis{0};
  const auto halted = record().spec->capture_logs && deps_->keep_logs ? trigger::halted_keeping : trigger::halted;
  if (plan.grace == millis{0} && halted == trigger::halted) {
    fire(halted); // removal kills, in one call
    return;
  }
  due_ = time + plan.grace + engine_answers_a_stop;
  engine_call(
      plan.grace + engine_answers_a_stop, stop_group{key(), plan.grace.count()}, [this, halted](done) { fire(halted); },
      [this, halted](const failure& f) {
        spdlog::warn("instance {}: the engine did not stop it ({}): removing it", record().instance.value, f.detail);
        fire(halted);
      });
}

void instance_core::capture() {
  engine_call(
      capture_limit, read_group_logs{key(), {}, captured_lines},
      [this](const log_text& text) {
        deps_->keep_logs(key(), text.text);
        fire(trigger::captured);
      },
      [this](const failure&) { fire(trigger::captured); });
}

void instance_core::remove() {
  engine_call(
      remove_limit, remove_group{key()}, [this](done) { fire(trigger::removed); }, [this](const failure& f) { on_remove_failed(f); });
}

void instance_core::on_remove_failed(const failure& f) {
  if (attempts_ == 0) spdlog::warn("instance {}: not removed yet: {}", record().instance.value, f.detail);
  // An engine that was away from the beginning has made nothing; what it may have made all the same is the reaper's.
  const bool unreachable = f.code == errc::engine_unavailable || f.code == errc::isolation_unproven;
  const bool never_reached = unreachable && !made_ && now() - entered_ >= untouched_engine_limit;
  fire(never_reached ? trigger::removed : trigger::remove_failed);
}

void instance_core::refresh_file() {
  ask(
      self_, deps_->runtime, inspect_limit, refresh_group_file{make_plan(record(), deps_->time->wall_now())}, [](done) {},
      [id = record().instance](const failure& f) { spdlog::warn("instance {}: its instance.json is not current: {}", id.value, f.detail); });
}

} // namespace poseidon
