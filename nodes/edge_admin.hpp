#pragma once
// The edge's own HTTP address, apart from the players' traffic: /healthz, for a load balancer in front of several edges.

#include "gateway/server/server.hpp"

#include <memory>

namespace poseidon {

/// Answers from start() on; fails /healthz while the machine's node drains, and from drain() on until it is destroyed.
class edge_admin {
public:
  /// `listen` as in gateway::server_config.
  explicit edge_admin(std::vector<std::string> listen);
  ~edge_admin();
  edge_admin(const edge_admin&) = delete;
  edge_admin& operator=(const edge_admin&) = delete;

  /// Binds and serves. Throws std::runtime_error that names the address and the reason.
  std::vector<gateway::bound_address> start();
  /// No new connections, please: the edge is about to end.
  void drain() { checks_->ending = true; }
  /// The machine's node drains, or no longer does. Any thread.
  void node_drains(bool draining) { checks_->node_draining = draining; }

private:
  struct checks {
    std::atomic<bool> ending{false}, node_draining{false};
  };
  std::shared_ptr<checks> checks_ = std::make_shared<checks>();
  gateway::server http_;
};

} // namespace poseidon
