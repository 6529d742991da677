#pragma once
// What a node process and an edge process of one machine say to each other over their Unix socket (docs/wire.md): frames of a
// length (four bytes, big endian) and an envelope. The node speaks first.

#include "messages/commands.hpp"

#include <variant>

namespace poseidon {

inline constexpr std::uint32_t link_version = 1;

/// The node's first word.
struct link_hello {
  std::uint32_t version = link_version;
  std::string cluster;
  machine_id machine;
  node_name node;
  run_id run;
};
POSEIDON_FIELDS(link_hello, version, cluster, machine, node, run)
/// The edge's answer: it takes routes from now on.
struct link_welcome {
  std::uint32_t version = link_version;
  std::string edge; ///< its name, for logs
};
POSEIDON_FIELDS(link_welcome, version, edge)
/// The node holds this instance, and will say later whether it can be reached: what the edge knows of it stays.
struct hold_route {
  std::string host;
  instance_id instance;
  struct epoch epoch;
  friend bool operator==(const hold_route&, const hold_route&) = default;
};
POSEIDON_FIELDS(hold_route, host, instance, epoch)
/// Since the hello, every instance of the node has been named: whatever else the edge knows of that node is no longer served.
struct link_complete {};
POSEIDON_NO_FIELDS(link_complete)
/// The answer to a message that was not taken; to a hello: the edge closes the link.
struct link_refused {
  failure why;
};
POSEIDON_FIELDS(link_refused, why)

/// What instances say to an edge.
using route_message = std::variant<put_route, end_route, announce_route>;
const std::string& host_of(const route_message& what);
const struct epoch& epoch_of(const route_message& what);
route_acked ack_of(const route_message& what);

using link_message =
    std::variant<link_hello, link_welcome, put_route, end_route, announce_route, hold_route, link_complete, route_acked, link_refused>;

/// One frame. A message with a request is answered by one with the same: route_acked or link_refused.
struct link_frame {
  std::uint64_t request = 0; ///< 0: no answer is wanted
  link_message what;
};

/// Without the length in front.
std::string encode(const link_frame& frame);
/// Errors: bad_request (no frame, or of a kind that is not known), conflict (of a newer version).
outcome<link_frame> decode_link_frame(std::string_view bytes);

} // namespace poseidon
