#pragma once
// The few replies that the edge gives itself. Pure. Nothing that a stranger sent is ever part of one.

#include "messages/time.hpp"
#include "nodes/edge/edge_table.hpp"

#include <string>

namespace poseidon {

/// A reply of the edge's own; the connection ends with it.
struct own_reply {
  int status = 0;
  std::string title;          ///< "Not ready yet"
  std::string detail;         ///< one or two sentences for people
  int retry_after_seconds = 0; ///< 0: none
  bool reload = false;        ///< a browser's page loads itself again
};

/// How a reply is spelt for this asker.
struct reply_form {
  bool html = false;
  bool head_only = false;
};

/// The reply on the wire: head and body.
std::string render(const own_reply& reply, reply_form form, wall_time now);

/// A malformed, ambiguous, slow or too large first request.
own_reply refusal(int status, std::string_view why);
own_reply unknown_host();
own_reply not_ready();
/// Of an instance that ended for `reason` at `at`.
own_reply gone(end_reason reason, wall_time at);
/// The instance is known and ready, but its service did not answer.
own_reply no_answer(std::string_view why);
own_reply too_many(std::string_view of_what);

/// The reply that a route gives at this time; status 0: none, it leads to its instance. `route` may be null.
own_reply reply_of(const edge_route_ptr& route, boot_time boot_now, wall_time wall_now);

} // namespace poseidon
