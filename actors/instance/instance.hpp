#pragma once
// The actor that owns one container instance (interfaces.hpp, instance_actor): lifecycle, TTL timer, health, containers.

#include "actors/interfaces.hpp"

namespace poseidon {

/// What every instance actor of a node works with; shared by all of them, immutable.
struct instance_deps {
  runtime_actor runtime;
  probe_actor probe;
  router_actor router;       ///< may be null: no edge on this machine; instances stay pending, and say why
  journal_actor journal;
  timers_actor timers;
  telemetry_actor telemetry; ///< may be null
  std::shared_ptr<const clock> time;
  node_name node;
  run_id run;
  std::string boot_id;       ///< the kernel's, for deadlines
  machine_id machine;
  millis probe_interval{5};    ///< between the first health checks of a starting instance
  millis probe_timeout{1'000}; ///< within which one is answered
  millis expiring_before{300'000}; ///< so long before its deadline an instance says that it is near
  std::function<std::uint32_t()> load_percent; ///< of this node; called inside actors, thread-safe; may be empty
  /// Takes the logs of a challenge with capture_logs before they are removed with the container; thread-safe; may be empty.
  std::function<void(const group_key&, const std::string&)> keep_logs;
};

/// Spawns one; it begins (or takes over) at once. It quits normally when its last fact is folded and its record forgotten.
/// Told to exit, it leaves containers and record as they are. Whoever watches the engine forwards `engine_changed` to it.
instance_actor spawn_instance(caf::actor_system& system, std::shared_ptr<const instance_deps> deps, instance_seed seed);

/// The factory that a supervisor is given.
instance_factory make_instance_factory(caf::actor_system& system, std::shared_ptr<const instance_deps> deps);

} // namespace poseidon
