#pragma once
// A gateway process's mind: turns wishes into entries, and answers when the own replica has judged them.

#include "actors/interfaces.hpp"
#include "messages/random.hpp"

#include <memory>

namespace poseidon {

/// Which nodes there are to talk to. Both functions are quick, never block, and are called on the scheduler's thread.
struct node_directory {
  std::function<node_actor(const node_name&)> find; ///< a null handle: not reachable from here
  std::function<std::vector<node_name>()> names;
};

struct scheduler_deps {
  ledger_actor ledger;
  timers_actor timers;
  std::shared_ptr<const poseidon::clock> clock;
  std::shared_ptr<random_source> random;
  node_directory nodes;
  std::function<std::string(const instance_id&)> host_of;                       ///< the instance's host name, for ever
  std::function<outcome<sealed_secret>(const secret&, const instance_id&)> seal; ///< a player's flag
  std::function<std::vector<load_hint>(const instance_spec&)> loads;            ///< of each node, as seen last, for what is to start
  millis ledger_timeout{5'000};
  millis node_timeout{10'000};
  millis garbage_timeout{120'000};
  millis settle_limit{2'000};  ///< how long an answer waits for the fold of what a node has said
  millis look_interval{200};   ///< between two looks after an unknown outcome
  millis look_limit{3'000};
  std::size_t most_in_flight = 4096; ///< requests; more are answered 503 at once
};

/// Subscribes to the ledger by itself; until it has its image, requests are answered `ledger_unavailable` with a moment to
/// try again. Each request has one definite answer within the sum of the timeouts that it passes through.
scheduler_actor spawn_scheduler(caf::actor_system& system, scheduler_deps deps);

} // namespace poseidon
