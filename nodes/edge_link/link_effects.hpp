#pragma once
// What the pure halves of a link decide, for their actors to perform.

#include "nodes/edge_link/link_messages.hpp"

#include <set>

namespace poseidon {

template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

/// One connection between a node process and an edge process, as whoever moves its frames numbers it; from 1.
using link_id = std::uint64_t;

struct send_frame {
  link_id to = 0;
  link_frame what;
};
struct close_link {
  link_id which = 0;
  std::string why;
};
/// Answer whoever told this route (route_fanout).
struct answer_teller {
  std::uint64_t token = 0;
  outcome<route_acked> how;
};
/// Ask the router of this process; its answer comes back with link and request.
struct ask_router {
  link_id from = 0; ///< 0: an instance of this process
  std::uint64_t request = 0;
  node_name node;   ///< whose instance it is; empty: of this process
  route_message what;
};
/// Serve no more of this node's routes than these hosts'.
struct retain_routes {
  node_name node;
  std::set<std::string> hosts;
};
using link_effect = std::variant<send_frame, close_link, answer_teller, ask_router, retain_routes>;
using link_effects = std::vector<link_effect>;

} // namespace poseidon
