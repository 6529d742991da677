#pragma once
// Keeps an eye on this process's own node, for whoever must not ask an actor: /readyz and the ready line.

#include "actors/interfaces.hpp"
#include "nodes/local_node.hpp"

namespace poseidon {

struct node_watch_deps {
  supervisor_actor supervisor;
  timers_actor timers;
  std::shared_ptr<const poseidon::clock> clock;
  std::shared_ptr<local_node> node; ///< told what the supervisor says
  millis period{500};
};
using node_watch_actor = caf::typed_actor<reacts_to<timer_due>>;

/// Asks the supervisor at once and then every `period`; an answer that does not come counts as trouble.
node_watch_actor spawn_node_watch(caf::actor_system& system, node_watch_deps deps);

} // namespace poseidon
