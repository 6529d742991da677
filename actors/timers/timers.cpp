#include "actors/timers/timers.hpp"

#include "actors/kit/handlers.hpp"
#include "actors/timers/timer_heap.hpp"

namespace poseidon {
namespace {

using sink_ptr = caf::strong_actor_ptr;

struct sink_hash {
  std::size_t operator()(const sink_ptr& sink) const { return sink ? sink->id() : 0; }
};

struct timers_state {
  static constexpr const char* name = "timers";
  timer_heap<sink_ptr, sink_hash> heap;
  std::shared_ptr<timer_horizon> horizon;

  void arm(const arm_timer& m) {
    heap.arm(caf::actor_cast<sink_ptr>(m.sink), m.token, m.due);
    horizon->set(heap.next());
  }
  void disarm(const disarm_timer& m) {
    heap.disarm(caf::actor_cast<sink_ptr>(m.sink), m.token);
    horizon->set(heap.next());
  }
  void drop(const disarm_all& m) {
    heap.disarm_all(caf::actor_cast<sink_ptr>(m.sink));
    horizon->set(heap.next());
  }
  void tick(boot_time now) {
    heap.take_due(now, [now](const sink_ptr& sink, std::uint64_t token) {
      caf::anon_send(caf::actor_cast<timer_sink>(sink), timer_due{token, now});
    });
    horizon->set(heap.next());
  }
};

timers_actor::behavior_type timers_behavior(timers_actor::stateful_pointer<timers_state> self, std::shared_ptr<timer_horizon> horizon) {
  install_handlers(self, timers_state::name);
  self->state.horizon = std::move(horizon);
  return {
      [self](const arm_timer& m) { self->state.arm(m); },
      [self](const disarm_timer& m) { self->state.disarm(m); },
      [self](const disarm_all& m) { self->state.drop(m); },
      [self](const timer_tick& m) { self->state.tick(m.now); },
  };
}

} // namespace

timers_actor spawn_timers(caf::actor_system& system, std::shared_ptr<timer_horizon> horizon) {
  return system.spawn(timers_behavior, std::move(horizon));
}

} // namespace poseidon
