#pragma once
// The other end of remote_node: takes the commands for this process's node off the bus, and sends back what it answers.

#include "actors/bus/bus.hpp"
#include "actors/interfaces.hpp"

namespace poseidon {

struct node_service_deps {
  std::shared_ptr<poseidon::bus> bus;
  std::string cluster;
  node_name name;
  node_actor node;
  millis limit{10'000};
  millis garbage_limit{120'000};
  std::size_t most_in_flight = 1024; ///< more are answered queue_full at once
};

/// Serves until it is ended.
caf::actor spawn_node_service(caf::actor_system& system, node_service_deps deps);

} // namespace poseidon
