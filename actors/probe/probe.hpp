#pragma once
// The probe as an actor: requests become calls of the port, its callbacks become replies.

#include "actors/interfaces.hpp"
#include "actors/probe/probe_port.hpp"

namespace poseidon {

struct probe_deps {
  std::shared_ptr<probe_port> port;
  timers_actor timers;
  std::shared_ptr<const poseidon::clock> clock;
  millis slack{3'000};             ///< beyond the request's own timeout
  std::size_t most_open = 256;     ///< probes at the port at once; more wait in the order in which they came
  std::size_t most_waiting = 100'000;
};

/// Answers each request once: with the port's answer, or `never_healthy` when it did not come in time.
probe_actor spawn_probe(caf::actor_system& system, probe_deps deps);

} // namespace poseidon
