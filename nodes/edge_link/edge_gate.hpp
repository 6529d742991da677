#pragma once
// Takes the routes of the machine's node processes into the router of this process's edge.

#include "actors/router/router.hpp"
#include "nodes/edge_link/link_gate.hpp"
#include "nodes/edge_link/link_port.hpp"

namespace poseidon {

using edge_gate_actor = link_sink::extend<reacts_to<timer_due>>;

struct edge_gate_deps {
  gate_options options;
  edge_router_actor router;
  timers_actor timers;
  std::shared_ptr<const poseidon::clock> clock;
  std::shared_ptr<link_port> port;
};

edge_gate_actor spawn_edge_gate(caf::actor_system& system, edge_gate_deps deps);

} // namespace poseidon
