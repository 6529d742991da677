#pragma once

#include "actors/bus/remote_node.hpp"
#include "actors/membership/member_board.hpp"

#include <mutex>

namespace poseidon {

/// The nodes of other processes, for this process's scheduler. Thread-safe.
class remote_nodes {
public:
  remote_nodes(caf::actor_system& system, std::shared_ptr<poseidon::bus> bus, std::shared_ptr<member_board> board, std::string cluster, std::string self)
      : system_(system), bus_(std::move(bus)), board_(std::move(board)), cluster_(std::move(cluster)), self_(std::move(self)) {}

  /// A null handle for one that is not heard.
  node_actor find(const node_name& name);
  /// Those that are heard.
  std::vector<node_name> names() const;
  /// Ends the proxies.
  void end();

private:
  caf::actor_system& system_;
  const std::shared_ptr<poseidon::bus> bus_;
  const std::shared_ptr<member_board> board_;
  const std::string cluster_, self_;
  std::mutex mutex_;
  std::map<node_name, node_actor> proxies_;
};

/// What placement is told of the nodes that are heard, for what is to start: one that is suspect or can't start anything
/// counts as full.
std::vector<load_hint> load_hints(const std::vector<member>& members, const instance_spec& wanted);
/// Full names of what it is made of, as node_status.images has them; empty when one of them is no image's name.
std::vector<std::string> images_of(const instance_spec& wanted);
/// True when all of `images` are among those held (sorted), and there are any.
bool holds_images(const std::vector<std::string>& held, const std::vector<std::string>& images);

} // namespace poseidon
