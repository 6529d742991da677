#pragma once
// Tells an edge when the node of its machine drains, so that its load balancer sends new players elsewhere.

#include "actors/interfaces.hpp"

namespace poseidon {

/// Whether the edge of process `name` on `machine` is to fail its check: the node of its own name there drains or, where
/// that machine has none of that name, every node there does. Lost nodes don't count. Pure.
bool edge_drains(const std::map<node_name, std::shared_ptr<const node_row>>& nodes, const machine_id& machine, const node_name& name);

struct drain_watch_deps {
  ledger_actor ledger;
  timers_actor timers;
  std::shared_ptr<const poseidon::clock> clock;
  machine_id machine;
  node_name name;
  std::function<void(bool draining)> tell; ///< on the actor's thread; at every change of it
  millis ask_timeout{5'000}, retry{1'000};
};
using drain_watch_actor = ledger_subscriber::extend<reacts_to<timer_due>>;

/// Subscribes by itself, and asks again while the ledger does not answer: until then nothing drains.
drain_watch_actor spawn_drain_watch(caf::actor_system& system, drain_watch_deps deps);

} // namespace poseidon
