// What clients may ask of a live instance.

#include "actors/instance/extension_policy.hpp"
#include "actors/instance/deadline.hpp"
#include "actors/instance/instance_core.hpp"

namespace poseidon {
namespace {

constexpr millis logs_limit{15'000};
constexpr millis stats_limit{11'000};

failure not_running(phase now) {
  failure f;
  f.code = now >= phase::stopping ? errc::instance_ended : errc::instance_not_running;
  f.detail = "the instance is " + std::string{to_string(now)};
  return f;
}

} // namespace

caf::typed_response_promise<outcome<done>> instance_core::on_stop(const stop_instance& m) {
  auto promise = self_->make_response_promise<outcome<done>>();
  if (phase_ == phase::gone) {
    promise.deliver(outcome<done>(done{}));
    return promise;
  }
  end(m.reason == end_reason::none ? end_reason::stopped : m.reason, {}, m.actor);
  fire(trigger::stop);
  after_commit([this, promise] { confirm_stop(promise); });
  return promise;
}

caf::typed_response_promise<outcome<extended>> instance_core::on_extend(const extend_instance& m) {
  auto promise = self_->make_response_promise<outcome<extended>>();
  if (phase_ != phase::running && phase_ != phase::restarting) {
    promise.deliver(outcome<extended>(not_running(phase_)));
    return promise;
  }
  const auto load = deps_->load_percent ? deps_->load_percent() : 0u;
  const auto end_at = lifetime_end().value_or(now());
  const auto decision = decide_extension(*record().spec, {end_at - now(), millis{record().extensions_used_ms}, load});
  if (!decision.allowed) {
    promise.deliver(outcome<extended>(extension_failure(decision)));
    settle();
    return promise;
  }
  auto& r = edit();
  r.deadline = durable_deadline{deps_->boot_id, end_at + decision.step, r.deadline->wall + decision.step};
  r.extensions_used_ms += decision.step.count();
  const extended answer{r.deadline->wall, r.extensions_used_ms};
  due_ = r.deadline->boot;
  warned_ = false;
  armed_ = next_wake();
  self_->send(deps_->timers, arm_timer{me(), deadline_timer, armed_});
  say(deadline_moved_entry{head(), answer.expires_at, answer.extensions_used_ms, m.actor});
  commit();
  after_commit([this, promise, answer] {
    move_route(promise, answer, 0);
    refresh_file();
  });
  return promise;
}

caf::typed_response_promise<outcome<log_text>> instance_core::on_read_logs(const read_logs& m) {
  auto promise = self_->make_response_promise<outcome<log_text>>();
  ask(
      self_, deps_->runtime, logs_limit, read_group_logs{key(), m.service, m.tail},
      [promise](log_text text) mutable { promise.deliver(outcome<log_text>(std::move(text))); },
      [promise](failure f) mutable { promise.deliver(outcome<log_text>(std::move(f))); });
  settle();
  return promise;
}

/// The runtime and the reader speak with each other from then on: the stream lives as long as the containers do.
caf::result<outcome<stream_opened>> instance_core::on_open_logs(const open_log_stream& m) {
  open_group_log_stream wanted{key(), m.what, m.sink};
  settle();
  return self_->delegate(deps_->runtime, std::move(wanted));
}

caf::typed_response_promise<outcome<group_stats>> instance_core::on_read_stats(const read_stats&) {
  auto promise = self_->make_response_promise<outcome<group_stats>>();
  if (starting_up()) {
    promise.deliver(outcome<group_stats>(not_running(phase_)));
    return promise;
  }
  ask(
      self_, deps_->runtime, stats_limit, read_group_stats{key()},
      [promise](group_stats stats) mutable { promise.deliver(outcome<group_stats>(stats)); },
      [promise](failure f) mutable { promise.deliver(outcome<group_stats>(std::move(f))); });
  settle();
  return promise;
}

} // namespace poseidon
