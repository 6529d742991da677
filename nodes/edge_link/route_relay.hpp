#pragma once
// The router that a node's instances talk to when edges run in other processes of the machine.

#include "nodes/edge_link/link_port.hpp"
#include "nodes/edge_link/route_fanout.hpp"

namespace poseidon {

using route_relay_actor =
    router_actor::extend<reacts_to<edge_link_opened>, reacts_to<edge_link_received>, reacts_to<edge_link_lost>, reacts_to<timer_due>>;

struct route_relay_deps {
  fanout_options options;     ///< own_router follows from `router`
  router_actor router;        ///< of the edge in this process; null: none
  journal_actor journal;      ///< what the node holds
  timers_actor timers;
  std::shared_ptr<const poseidon::clock> clock;
  std::shared_ptr<link_port> port;
};

/// Answers as route_fanout does.
route_relay_actor spawn_route_relay(caf::actor_system& system, route_relay_deps deps);

} // namespace poseidon
