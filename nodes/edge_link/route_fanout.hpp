#pragma once
// The node's half of the links: every edge of the machine learns every route of this node. Pure.

#include "nodes/edge_link/link_effects.hpp"

#include <deque>
#include <map>

namespace poseidon {

struct fanout_options {
  std::string cluster;
  machine_id machine;
  node_name node;
  run_id run;
  bool own_router = false;      ///< an edge runs in this process, too
  millis answer_limit{1'500};   ///< an edge that has not answered by then is dropped: it learns everything when it comes back
  millis welcome_limit{5'000};
  std::size_t ends_kept = 10'000; ///< ended routes remembered for edges that come back
};

/// An acknowledgement says: every edge that is linked now serves it. Edges that link later are told everything again.
class route_fanout {
public:
  explicit route_fanout(fanout_options options) : options_(std::move(options)) {}

  // Links.
  link_effects opened(link_id link, boot_time now);
  link_effects received(link_id link, const link_frame& frame);
  link_effects closed(link_id link);

  /// What an instance says; answered by answer_teller with this token. Answers: not_found for a route when no edge is there
  /// (what ends or waits needs none), unknown_outcome when the last one went away, else as the edges say: one refusal is a refusal.
  link_effects tell(route_message what, std::uint64_t token, boot_time now);
  /// The answer of this process's own router.
  link_effects routed(std::uint64_t request, outcome<route_acked> how);
  /// What the journal holds, once, at the start: until then no edge is told that it knows all.
  link_effects hold(const std::vector<hold_route>& held);

  /// Ends what waits too long.
  link_effects due(boot_time now);
  std::optional<boot_time> next() const;
  /// Edges that take routes.
  std::size_t linked() const;

private:
  struct link {
    bool welcomed = false;
    boot_time welcome_due;
    std::string edge;
  };
  struct waiting_tell {
    std::uint64_t token = 0;
    route_acked ack;
    std::set<link_id> missing;
    bool acknowledged = false;
    failure refused;
    boot_time due;
  };
  using known_route = std::variant<put_route, end_route, announce_route, hold_route>;

  void remember(const route_message& what);
  void tell_everything(link_id link, link_effects& todo) const;
  void answered(std::uint64_t request, link_id by, const failure& refused, link_effects& todo);
  void without(link_id link, link_effects& todo);
  void finish_if_done(std::map<std::uint64_t, waiting_tell>::iterator at, link_effects& todo);

  fanout_options options_;
  std::map<link_id, link> links_;
  std::map<std::string, known_route> routes_; ///< by host
  std::deque<std::pair<std::string, struct epoch>> ends_; ///< the ended ones among them, oldest first
  std::map<std::uint64_t, waiting_tell> waiting_;  ///< by request
  std::uint64_t last_request_ = 0;
  bool complete_ = false; ///< the journal has been heard
};

} // namespace poseidon
