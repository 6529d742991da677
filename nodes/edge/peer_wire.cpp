#include "nodes/edge/peer_wire.hpp"

#include "messages/msgpack.hpp"
#include "nodes/edge/own_reply.hpp"

namespace poseidon {

std::string encode(const peer_request& value) { return pack(value); }
outcome<peer_request> decode_peer_request(std::string_view bytes) { return unpack<peer_request>(bytes); }
std::string encode(const peer_answer& value) { return pack(value); }
outcome<peer_answer> decode_peer_answer(std::string_view bytes) { return unpack<peer_answer>(bytes); }

std::string peer_frame(std::string_view bytes) {
  std::string frame;
  frame.reserve(peer_length_bytes + bytes.size());
  frame += static_cast<char>(bytes.size() >> 8 & 0xff);
  frame += static_cast<char>(bytes.size() & 0xff);
  return frame.append(bytes);
}

std::size_t peer_frame_length(const char* head) {
  return std::size_t{static_cast<unsigned char>(head[0])} << 8 | static_cast<unsigned char>(head[1]);
}

peer_answer judge(const peer_request& wanted, const edge_route_ptr& route, const machine_id& machine, boot_time boot_now, wall_time wall_now) {
  const auto refuse = [](peer_status status, std::string why) { return peer_answer{peer_version, status, std::move(why)}; };
  if (wanted.version > peer_version) return refuse(peer_status::unknown, "this edge speaks an older version");
  if (!route) return refuse(peer_status::unknown, "the host is not known");
  const auto& known = route->entry.route;
  if (known.epoch > wanted.epoch) return refuse(peer_status::gone, "a newer copy took its place");
  if (known.epoch != wanted.epoch || known.instance != wanted.instance) return refuse(peer_status::unknown, "that copy is not known");
  const auto own = reply_of(route, boot_now, wall_now);
  if (own.status == 410 || own.status == 404) return refuse(peer_status::gone, "it ended");
  if (own.status != 0) return refuse(peer_status::unknown, "it is not ready");
  if (is_elsewhere(known) || (!known.machine.empty() && known.machine != machine)) return refuse(peer_status::unknown, "it does not run on this machine");
  return {};
}

failure failure_of(const peer_answer& answer) {
  const auto code = answer.status == peer_status::gone          ? errc::service_died
                    : answer.status == peer_status::unknown     ? errc::not_found
                    : answer.status == peer_status::unreachable ? errc::instance_not_running
                                                                : errc::capacity_exhausted;
  return {code, answer.why, {}, {}, {}};
}

} // namespace poseidon
