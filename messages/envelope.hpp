#pragma once
// What travels between processes: one message in its envelope, as one msgpack frame.

#include "messages/blob.hpp"
#include "messages/errors.hpp"
#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <optional>

namespace poseidon {

struct envelope {
  static constexpr std::uint32_t current_version = 1;
  std::uint32_t version = current_version; ///< of this form
  std::string kind;                        ///< the payload's type, as its struct is called: "stop_instance"
  request_id request;                      ///< of the client's request that led to it; empty: none
  std::string actor;                       ///< who asked: "key:<id>", "node:<name>"
  std::string traceparent;                 ///< W3C trace context; empty: none
  std::optional<wall_time> deadline;       ///< an answer after it is of no use
  blob payload;                            ///< msgpack of the message
};
POSEIDON_FIELDS(envelope, version, kind, request, actor, traceparent, deadline, payload)

/// The largest frame that is read: NATS's own default limit.
inline constexpr std::size_t max_frame_bytes = 1u << 20;

std::string encode(const envelope& value);
/// Reads a frame of any origin. bad_request: no envelope, too large, no kind, or a malformed traceparent; conflict: of a
/// newer version.
outcome<envelope> decode_envelope(std::string_view frame);

/// True for W3C trace context, version 00: 00-<32 hex>-<16 hex>-<2 hex>, ids not all zero.
bool is_traceparent(std::string_view text);

} // namespace poseidon
