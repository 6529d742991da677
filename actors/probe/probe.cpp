#include "actors/probe/probe.hpp"

#include "actors/kit/handlers.hpp"
#include "actors/kit/port_calls.hpp"

#include <deque>

namespace poseidon {
namespace {

using adapter = probe_actor::extend<reacts_to<port_event>, reacts_to<timer_due>>;
using reply = caf::typed_response_promise<outcome<done>>;

constexpr std::uint64_t expiry_token = 1;

struct probe_state {
  struct waiting_probe {
    probe_endpoint request;
    reply promise;
  };
  adapter::pointer self;
  probe_deps deps;
  port_calls calls;
  std::optional<boot_time> expiry_armed;
  std::deque<waiting_probe> waiting;

  explicit probe_state(adapter::pointer me) : self(me), calls(me, "the probe") {}
  ~probe_state() {
    for (auto& probe : waiting) probe.promise.deliver(outcome<done>{ended_failure()});
    waiting.clear();
    calls.fail_all(ended_failure());
  }
  static failure ended_failure() { return {errc::shutting_down, "the probe has ended", {}, {}, {}}; }

  reply on_probe(const probe_endpoint& request) {
    auto promise = self->make_response_promise<outcome<done>>();
    if (waiting.size() >= deps.most_waiting)
      promise.deliver(outcome<done>{failure{errc::never_healthy, "too many probes are waiting", 1'000, {}, {}}});
    else
      waiting.push_back({request, promise});
    open_more();
    return promise;
  }

  void open_more() {
    while (!waiting.empty() && calls.size() < deps.most_open) {
      auto next = std::move(waiting.front());
      waiting.pop_front();
      const auto deadline = deps.clock->boot_now() + millis{next.request.timeout_ms} + deps.slack;
      auto callback = calls.open_with<done>([this, promise = next.promise](outcome<done> answer) mutable { ended(promise, std::move(answer)); },
                                            deadline);
      deps.port->probe(next.request, std::move(callback));
    }
    arm_expiry();
  }

  void ended(reply& promise, outcome<done> answer) {
    if (!answer && answer.error.code == errc::engine_timeout) answer.error.code = errc::never_healthy;
    promise.deliver(std::move(answer));
    open_more();
  }

  void on_timer() {
    expiry_armed.reset();
    calls.expire(deps.clock->boot_now());
    arm_expiry();
  }

  void arm_expiry() {
    auto next = calls.next_deadline();
    if (!next || (expiry_armed && *expiry_armed <= *next)) return;
    expiry_armed = next;
    self->send(deps.timers, arm_timer{timer_sink{self}, expiry_token, *next});
  }
};

adapter::behavior_type probe_behavior(adapter::stateful_pointer<probe_state> self, probe_deps deps) {
  install_handlers(self, "probe");
  auto* s = &self->state;
  s->deps = std::move(deps);
  return {
      [s](const probe_endpoint& request) { return s->on_probe(request); },
      [](const port_event& event) { event.run(); },
      [s](const timer_due&) { s->on_timer(); },
  };
}

} // namespace

probe_actor spawn_probe(caf::actor_system& system, probe_deps deps) { return system.spawn(probe_behavior, std::move(deps)); }

} // namespace poseidon
