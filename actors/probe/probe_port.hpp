#pragma once
// One health check through the path that players take; the socket work behind it is a node's.

#include "messages/commands.hpp"

#include <functional>

namespace poseidon {

class probe_port {
public:
  virtual ~probe_port() = default;

  /// One attempt: connects inside the endpoint's namespace (tcp), or asks for `health.path` and takes a 2xx or 3xx answer
  /// (http). Returns at once; `answer` is called exactly once, at the latest 1 s after `request.timeout_ms`, on any thread,
  /// and must only hand the answer on. `never_healthy` with the reason when the attempt failed.
  virtual void probe(const probe_endpoint& request, std::function<void(outcome<done>)> answer) = 0;
};

} // namespace poseidon
