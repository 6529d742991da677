#pragma once
// Ports that answer at once and keep nothing: what is measured beside them is the instance actor's own.

#include "actors/instance/instance.hpp"

namespace poseidon::bench {

struct instant_ports {
  explicit instant_ports(caf::actor_system& system);
  ~instant_ports();
  /// What instances are given; `timers` and `time` are the caller's.
  std::shared_ptr<const instance_deps> deps(timers_actor timers, std::shared_ptr<const clock> time) const;

  runtime_actor runtime;
  probe_actor probe;
  router_actor router;
  journal_actor journal;
};

/// A record as a challenge of one small web service has it.
journal_record record_of(std::size_t number, const spec_ptr& spec, wall_time now);
spec_ptr one_service();

} // namespace poseidon::bench
