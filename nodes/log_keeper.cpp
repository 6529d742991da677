#include "nodes/log_keeper.hpp"

#include "actors/kit/handlers.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {

namespace {

struct log_keeper_state {
  log_keeper_actor::pointer self;
  log_keeper_deps deps;

  void keep(const keep_logs& m) {
    if (auto failed = deps.logs.keep(m.instance, m.text)) spdlog::warn("logs of instance {} were not kept: {}", m.instance.value, failed.detail);
  }
  outcome<log_text> read(const read_logs& m) const {
    auto text = deps.logs.read(m.instance, m.tail);
    if (!text) return text.error;
    return log_text{std::move(*text)};
  }
  void forget() {
    if (const auto gone = deps.logs.forget(deps.clock->wall_now())) spdlog::info("forgot the logs of {} ended instances", gone);
    self->send(deps.timers, arm_timer{caf::actor_cast<timer_sink>(self), 0, deps.clock->boot_now() + deps.period});
  }
};

log_keeper_actor::behavior_type log_keeper(log_keeper_actor::stateful_pointer<log_keeper_state> self, log_keeper_deps deps) {
  install_handlers(self, "log keeper");
  auto& state = self->state;
  state.self = self;
  state.deps = std::move(deps);
  state.forget();
  return {
      [&state](const keep_logs& m) { state.keep(m); },
      [&state](const read_logs& m) { return state.read(m); },
      [&state](const timer_due&) { state.forget(); },
  };
}

} // namespace

log_keeper_actor spawn_log_keeper(caf::actor_system& system, log_keeper_deps deps) {
  return system.spawn<caf::detached>(log_keeper, std::move(deps));
}

} // namespace poseidon
