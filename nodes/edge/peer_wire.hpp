#pragma once
// What the edges of two machines say to each other, inside TLS (docs/wire.md): frames of a length (two bytes, big endian) and that
// many bytes. One request, one answer, then what client and instance say; an empty frame ends a direction. Pure.

#include "messages/commands.hpp"
#include "nodes/edge/edge_table.hpp"

namespace poseidon {

inline constexpr std::uint32_t peer_version = 1;
inline constexpr std::size_t peer_length_bytes = 2, peer_frame_max = 65'535;

/// "Lead me to this copy of this instance, on your machine."
struct peer_request {
  std::uint32_t version = peer_version;
  std::string host;
  instance_id instance;
  struct epoch epoch;
  std::string client; ///< the player's address, for logs
};
POSEIDON_FIELDS(peer_request, version, host, instance, epoch, client)

/// gone: it ended. unknown: no such copy runs on this machine, as far as this edge knows. unreachable: it runs, but its service
/// does not answer. busy: too many connections.
enum class peer_status : std::uint8_t { ok, gone, unknown, unreachable, busy };
POSEIDON_ENUM(peer_status, ok, gone, unknown, unreachable, busy)
struct peer_answer {
  std::uint32_t version = peer_version;
  peer_status status = peer_status::ok;
  std::string why;
};
POSEIDON_FIELDS(peer_answer, version, status, why)

std::string encode(const peer_request& value);
outcome<peer_request> decode_peer_request(std::string_view bytes);
std::string encode(const peer_answer& value);
outcome<peer_answer> decode_peer_answer(std::string_view bytes);
/// `bytes` as one frame.
std::string peer_frame(std::string_view bytes);
/// The length that a frame's first two bytes say.
std::size_t peer_frame_length(const char* head);

/// What this edge answers: ok only for that very copy on its own machine, so no connection goes further than one hop. `route`
/// may be null.
peer_answer judge(const peer_request& wanted, const edge_route_ptr& route, const machine_id& machine, boot_time boot_now, wall_time wall_now);
/// What an answer other than ok means to whoever asked.
failure failure_of(const peer_answer& answer);

} // namespace poseidon
