#include "actors/scheduler/scheduler.hpp"

#include "actors/kit/handlers.hpp"
#include "actors/scheduler/log_streams.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {

void scheduler_state::start(scheduler_deps given) {
  deps = std::move(given);
  subscribe();
}

void scheduler_state::subscribe() {
  ask(
      self, deps.ledger, deps.ledger_timeout, subscribe_ledger{ledger_subscriber{self}},
      [this](ledger_image_ptr image) {
        gate.load(*image);
        has_image = true;
      },
      [this](failure why) {
        spdlog::warn("scheduler: no image of the ledger yet: {}", why.detail);
        pause(millis{500}, [this] { subscribe(); });
      });
}

void scheduler_state::load_image() {
  ask(
      self, deps.ledger, deps.ledger_timeout, get_image{}, [this](ledger_image_ptr image) { gate.load(*image); },
      [this](failure) { pause(millis{500}, [this] { load_image(); }); });
}

void scheduler_state::on_changes(const ledger_changes& changes) {
  bool reload = false;
  for (auto& change : *changes) {
    reload |= !gate.apply(change);
    for (auto& row : change.instances)
      for (auto token : waits.see(row)) self->send(deps.timers, disarm_timer{timer_sink{self}, token});
  }
  if (reload) load_image();
}

void scheduler_state::on_timer(const timer_due& due) {
  if (auto found = pauses.find(due.token); found != pauses.end()) {
    auto then = std::move(found->second);
    pauses.erase(found);
    return then();
  }
  waits.expire(due.token);
}

void scheduler_state::arm(std::uint64_t token, millis after) {
  self->send(deps.timers, arm_timer{timer_sink{self}, token, deps.clock->boot_now() + after});
}

void scheduler_state::pause(millis span, std::function<void()> then) {
  const auto token = ++last_pause;
  pauses.emplace(token, std::move(then));
  arm(token, span);
}

/// Mostly the row is there already: only what is not is waited for. Changes that come after the answer are newer than it.
void scheduler_state::await_row(const instance_id& instance, millis limit, row_waits::wanted wanted, row_waits::on_end then) {
  const auto until = deps.clock->boot_now() + limit;
  const auto wait = [this, instance, until, wanted, then] {
    const auto token = waits.add(instance, wanted, then);
    self->send(deps.timers, arm_timer{timer_sink{self}, token, until});
  };
  ask(
      self, deps.ledger, std::min(limit, deps.ledger_timeout), get_instance{instance},
      [wanted, then, wait](row_ptr row) {
        if (row && wanted(*row)) return then(std::move(row));
        wait();
      },
      [wait](failure) { wait(); });
}

void scheduler_state::with_row(const instance_id& instance, const row_promise& promise, std::function<void(row_ptr)> then) {
  ask(
      self, deps.ledger, deps.ledger_timeout, get_instance{instance},
      [promise, instance, then = std::move(then)](row_ptr row) {
        if (row) return then(std::move(row));
        promise.answer(failure{errc::unknown_instance, "no instance " + instance.value, {}, {}, {}});
      },
      [promise](failure why) { promise.answer(std::move(why)); });
}

node_actor scheduler_state::node_of(const instance_row& row) const {
  return row.node.empty() ? node_actor{} : deps.nodes.find(row.node);
}

namespace {

scheduler_actor::behavior_type scheduler_behavior(scheduler_actor::stateful_pointer<scheduler_state> self, scheduler_deps deps) {
  install_handlers(self, "scheduler");
  auto* s = &self->state;
  s->start(std::move(deps));
  return {
      [s](const ledger_changes& changes) { s->on_changes(changes); },
      [s](const start_instance& m) { return s->admit<started>([&](auto promise) { s->on_start(m, promise); }); },
      [s](const stop_instance& m) { return s->admit<row_ptr>([&](auto promise) { s->on_stop(m, promise); }); },
      [s](const extend_instance& m) { return s->admit<row_ptr>([&](auto promise) { s->on_extend(m, promise); }); },
      [s](const reset_instance& m) { return s->admit<row_ptr>([&](auto promise) { s->on_reset(m, promise); }); },
      [s](const read_logs& m) { return s->admit<log_text>([&](auto promise) { s->on_logs(m, promise); }); },
      [s](const read_stats& m) { return s->admit<group_stats>([&](auto promise) { s->on_stats(m, promise); }); },
      [s](const collect_garbage& m) { return s->admit<garbage_report>([&](auto promise) { s->on_garbage(m, promise); }); },
      [s](const move_instances& m) { return s->admit<moved_instances>([&](auto promise) { s->on_move(m, promise); }); },
      [s](const append_entry& m) { return s->admit<folded>([&](auto promise) { s->on_append(m, promise); }); },
      [s](const timer_due& due) { s->on_timer(due); },
      [s](const open_log_stream& m) { return s->admit<stream_opened>([&](auto promise) { open_logs(*s, m, promise); }); },
  };
}

} // namespace

scheduler_actor spawn_scheduler(caf::actor_system& system, scheduler_deps deps) {
  return system.spawn(scheduler_behavior, std::move(deps));
}

} // namespace poseidon
