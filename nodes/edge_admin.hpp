#pragma once
// The edge's own HTTP address, apart from the players' traffic: /healthz, for a load balancer in front of several edges.

#include "gateway/server/server.hpp"

#include <memory>

namespace poseidon {

/// Answers from start() on; from drain() on it fails /healthz, until it is destroyed.
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
  void drain() { *draining_ = true; }

private:
  std::shared_ptr<std::atomic<bool>> draining_ = std::make_shared<std::atomic<bool>>(false);
  gateway::server http_;
};

} // namespace poseidon
