#pragma once
// The edge's half of the links: takes the routes of the machine's nodes. Pure.

#include "nodes/edge_link/link_effects.hpp"

#include <map>

namespace poseidon {

struct gate_options {
  std::string cluster;
  machine_id machine;
  std::string edge; ///< its name, for logs
  millis hello_limit{5'000};
  std::size_t links_max = 64;
};

class link_gate {
public:
  explicit link_gate(gate_options options) : options_(std::move(options)) {}

  link_effects opened(link_id link, boot_time now);
  link_effects received(link_id link, const link_frame& frame);
  link_effects closed(link_id link);
  /// The router's answer to an ask_router.
  link_effects routed(link_id link, std::uint64_t request, const outcome<route_acked>& how);
  /// Closes what said no hello in time.
  link_effects due(boot_time now);
  std::optional<boot_time> next() const;
  /// Nodes that are linked.
  std::size_t nodes() const;

private:
  struct link {
    bool greeted = false;
    boot_time hello_due;
    node_name node;
    bool complete = false;
    std::set<std::string> told; ///< hosts named since the hello, until it is complete
  };
  void greet(link_id id, link& link, const link_hello& hello, link_effects& todo);
  void take(link_id id, link& link, std::uint64_t request, route_message what, link_effects& todo);

  gate_options options_;
  std::map<link_id, link> links_;
};

} // namespace poseidon
