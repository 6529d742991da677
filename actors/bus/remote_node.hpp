#pragma once
// A node of another process, as if it were here: its commands travel over the bus.

#include "actors/bus/bus.hpp"
#include "actors/interfaces.hpp"

namespace poseidon {

struct remote_node_deps {
  std::shared_ptr<poseidon::bus> bus;
  std::string cluster;
  node_name node;
  std::string self;               ///< who asks: the process's name
  millis limit{10'000};           ///< of a command
  millis garbage_limit{120'000};  ///< of one that works through the whole engine
};

/// Each request is answered once: with the node's answer, engine_unavailable when it did not get there, unknown_outcome when
/// no answer came.
node_actor spawn_remote_node(caf::actor_system& system, remote_node_deps deps);

} // namespace poseidon
