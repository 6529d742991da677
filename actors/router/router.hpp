#pragma once
// The router: owns the route table of this process's edge, and acknowledges what its data plane serves.

#include "actors/interfaces.hpp"
#include "actors/router/route_table.hpp"

namespace poseidon {

/// A put_route of a node in another process of this machine.
struct put_node_route {
  using poseidon_message = void;
  node_name node;
  put_route what;
};
/// That node has named everything it holds; see route_table::retain.
struct retain_node_routes {
  using poseidon_message = void;
  node_name node;
  std::set<std::string> hosts;
};
/// The router, as those know it who bring routes from elsewhere.
using edge_router_actor = router_actor::extend<replies_to<put_node_route>::with<outcome<route_acked>>, reacts_to<retain_node_routes>>;

struct router_deps {
  std::shared_ptr<const poseidon::clock> clock;
  machine_id machine;
  /// Makes the data plane serve the changes; when it returns, every one of its threads does, and what was to be cut is cut.
  /// Does not wait for anything. Called by the router alone.
  std::function<void(const std::vector<route_change>&)> apply;
  route_table table; ///< what a snapshot held (its restore's changes already applied), or empty
};

/// Answers each message once the data plane serves it; the same message again gets the same answer. Errors: as route_table.
edge_router_actor spawn_router(caf::actor_system& system, router_deps deps);

} // namespace poseidon
