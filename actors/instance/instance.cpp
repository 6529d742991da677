#include "actors/instance/instance.hpp"

#include "actors/instance/instance_core.hpp"
#include "actors/kit/handlers.hpp"

namespace poseidon {
namespace {

instance_actor::behavior_type instance_behavior(instance_core::self_pointer self, std::shared_ptr<const instance_deps> deps,
                                                const instance_seed& seed) {
  install_handlers(self, instance_core::name);
  self->state.start(std::move(deps), seed);
  return {
      [self](const timer_due& m) { self->state.on_timer(m); },
      [self](const service_exited& m) { self->state.on_service_exit(m); },
      [self](const group_progress& m) { self->state.on_progress(m); },
      [self](const stop_instance& m) { return self->state.on_stop(m); },
      [self](const extend_instance& m) { return self->state.on_extend(m); },
      [self](const read_logs& m) { return self->state.on_read_logs(m); },
      [self](const read_stats& m) { return self->state.on_read_stats(m); },
      [self](const fence_instance& m) { self->state.on_fence(m); },
      [self](const engine_changed& m) { self->state.on_engine(m); },
      [self](const open_log_stream& m) { return self->state.on_open_logs(m); },
  };
}

} // namespace

instance_actor spawn_instance(caf::actor_system& system, std::shared_ptr<const instance_deps> deps, instance_seed seed) {
  return system.spawn(instance_behavior, std::move(deps), std::move(seed));
}

instance_factory make_instance_factory(caf::actor_system& system, std::shared_ptr<const instance_deps> deps) {
  return [&system, deps = std::move(deps)](const instance_seed& seed) { return spawn_instance(system, deps, seed); };
}

} // namespace poseidon
