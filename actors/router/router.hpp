#pragma once
// The router: owns the route table of this process's edge, and acknowledges what its data plane serves.

#include "actors/interfaces.hpp"
#include "actors/router/route_table.hpp"

namespace poseidon {

struct router_deps {
  std::shared_ptr<const poseidon::clock> clock;
  machine_id machine;
  /// Makes the data plane serve the changes; when it returns, every one of its threads does, and what was to be cut is cut.
  /// Does not wait for anything. Called by the router alone.
  std::function<void(const std::vector<route_change>&)> apply;
  route_table table; ///< what a snapshot held (its restore's changes already applied), or empty
};

/// Answers each message once the data plane serves it; the same message again gets the same answer. Errors: as route_table.
router_actor spawn_router(caf::actor_system& system, router_deps deps);

} // namespace poseidon
