#pragma once
// Tells the edge what only the ledger knows: instances that wait in the queue, and ended ones (also of earlier runs).
// What lives is told by its instance actor, which knows endpoint and deadline.

#include "actors/interfaces.hpp"

#include <optional>
#include <variant>

namespace poseidon {

using route_news = std::variant<std::monostate, announce_route, end_route>;
/// What a row means to the edge; nothing for an assigned one, or one that ended more than a day before `now`. Pure.
route_news news_of(const instance_row& row, wall_time now);

struct route_feeder_deps {
  ledger_actor ledger;
  router_actor router;
  std::shared_ptr<const poseidon::clock> clock;
  millis ask_timeout{10'000};
};
ledger_subscriber spawn_route_feeder(caf::actor_system& system, route_feeder_deps deps);

} // namespace poseidon
