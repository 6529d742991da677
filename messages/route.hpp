#pragma once
// What node and edge say to each other about reachability (DESIGN.md section 4).

#include "messages/entries.hpp"
#include "messages/runtime.hpp"

namespace poseidon {

/// Host name to endpoint. Routes change only to a higher epoch; the same epoch may move endpoint and deadline.
struct route {
  std::string host;
  instance_id instance;
  struct epoch epoch;
  machine_id machine;
  endpoint where;
  std::optional<boot_time> deadline; ///< this machine's boot clock; the edge cuts by itself
  friend bool operator==(const route&, const route&) = default;
};
POSEIDON_FIELDS(route, host, instance, epoch, machine, where, deadline)

} // namespace poseidon
