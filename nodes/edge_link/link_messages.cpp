#include "nodes/edge_link/link_messages.hpp"

#include "messages/envelope.hpp"
#include "messages/msgpack.hpp"

#include <charconv>

namespace poseidon {
namespace {

template <class T>
struct frame_kind;
#define POSEIDON_LINK_KIND(type)                                                                                       \
  template <>                                                                                                          \
  struct frame_kind<type> {                                                                                               \
    static constexpr std::string_view name = #type;                                                                    \
  };
POSEIDON_LINK_KIND(link_hello)
POSEIDON_LINK_KIND(link_welcome)
POSEIDON_LINK_KIND(put_route)
POSEIDON_LINK_KIND(end_route)
POSEIDON_LINK_KIND(announce_route)
POSEIDON_LINK_KIND(hold_route)
POSEIDON_LINK_KIND(link_complete)
POSEIDON_LINK_KIND(route_acked)
POSEIDON_LINK_KIND(link_refused)
#undef POSEIDON_LINK_KIND

failure unreadable(std::string detail) { return {errc::bad_request, std::move(detail), {}, {}, {}}; }

template <class... T>
outcome<link_message> read_payload(std::string_view kind, std::string_view bytes, std::variant<T...>* /*type*/) {
  outcome<link_message> result{unreadable("a frame of an unknown kind: " + std::string{kind.substr(0, 64)})};
  const auto attempt = [&]<class M>(M* /*type*/) {
    if (kind != frame_kind<M>::name) return false;
    auto read = unpack<M>(bytes);
    if (read) result = outcome<link_message>{link_message{std::move(*read)}};
    else result = outcome<link_message>{std::move(read.error)};
    return true;
  };
  (attempt(static_cast<T*>(nullptr)) || ...);
  return result;
}

} // namespace

const std::string& host_of(const route_message& what) {
  if (const auto* put = std::get_if<put_route>(&what)) return put->route.host;
  if (const auto* over = std::get_if<end_route>(&what)) return over->host;
  return std::get<announce_route>(what).host;
}

const epoch& epoch_of(const route_message& what) {
  if (const auto* put = std::get_if<put_route>(&what)) return put->route.epoch;
  if (const auto* over = std::get_if<end_route>(&what)) return over->epoch;
  return std::get<announce_route>(what).epoch;
}

route_acked ack_of(const route_message& what) {
  if (const auto* put = std::get_if<put_route>(&what)) return {put->route.instance, put->route.epoch};
  if (const auto* over = std::get_if<end_route>(&what)) return {over->instance, over->epoch};
  const auto& waiting = std::get<announce_route>(what);
  return {waiting.instance, waiting.epoch};
}

std::string encode(const link_frame& frame) {
  envelope around;
  if (frame.request != 0) around.request.value = std::to_string(frame.request);
  std::visit(
      [&around](const auto& message) {
        around.kind = frame_kind<std::decay_t<decltype(message)>>::name;
        around.payload.bytes = pack(message);
      },
      frame.what);
  return encode(around);
}

outcome<link_frame> decode_link_frame(std::string_view bytes) {
  auto around = decode_envelope(bytes);
  if (!around) return around.error;
  link_frame frame;
  const auto& text = around->request.value;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), frame.request);
  if (!text.empty() && (read.ec != std::errc{} || read.ptr != text.data() + text.size())) return unreadable("a frame's request is not a number");
  auto what = read_payload(around->kind, around->payload.bytes, static_cast<link_message*>(nullptr));
  if (!what) return what.error;
  frame.what = std::move(*what);
  return frame;
}

} // namespace poseidon
