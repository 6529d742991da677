#include "actors/bus/wire.hpp"

#include "messages/msgpack.hpp"

namespace poseidon {
namespace {

constexpr std::size_t most_reply_bytes = max_frame_bytes - (64u << 10); // what the envelope and NATS add

template <class T>
std::string frame(std::string kind, const T& what, const std::string& actor) {
  envelope e;
  e.kind = std::move(kind);
  e.actor = actor;
  e.payload.bytes = pack(what);
  return encode(e);
}

template <class T>
outcome<T> open(const envelope& from, std::string_view kind) {
  if (from.kind != kind) return failure{errc::bad_request, "a frame of kind " + from.kind + " in place of " + std::string(kind), {}, {}, {}};
  return unpack<T>(from.payload.bytes);
}

/// What of a value goes over the bus.
template <class T>
std::string pack_bounded(const T& value) {
  return pack(value);
}
template <>
std::string pack_bounded(const log_text& value) {
  if (value.text.size() <= most_reply_bytes / 2) return pack(value);
  auto text = value.text.substr(value.text.size() - most_reply_bytes / 2); // msgpack may need more than a byte for one
  text.erase(0, std::min(text.find('\n') + 1, text.size()));             // from a whole line on
  return pack(log_text{std::move(text)});
}

} // namespace

#define POSEIDON_DEFINE(message, reply) \
  std::string encode_frame(const message& what, const std::string& actor) { return frame(#message, what, actor); } \
  outcome<message> decode_##message(const envelope& from) { return open<message>(from, #message); }
POSEIDON_NODE_COMMANDS(POSEIDON_DEFINE)
#undef POSEIDON_DEFINE

#define POSEIDON_DEFINE(message) \
  std::string encode_frame(const message& what, const std::string& actor) { return frame(#message, what, actor); } \
  outcome<message> decode_##message(const envelope& from) { return open<message>(from, #message); }
POSEIDON_STREAM_WORDS(POSEIDON_DEFINE)
#undef POSEIDON_DEFINE

template <class T>
std::string encode_reply(const outcome<T>& value) {
  bus_reply out;
  if (value) out.value.bytes = pack_bounded(*value);
  else out.why = value.error;
  if (out.value.bytes.size() > most_reply_bytes) {
    out.value.bytes.clear();
    out.why = {errc::internal, "the answer is too large for the bus", {}, {}, {}};
  }
  return frame("bus_reply", out, {});
}

template <class T>
outcome<T> decode_reply(std::string_view bytes) {
  auto e = decode_envelope(bytes);
  if (!e) return e.error;
  auto reply = open<bus_reply>(*e, "bus_reply");
  if (!reply) return reply.error;
  if (reply->why) return std::move(reply->why);
  return unpack<T>(reply->value.bytes);
}

#define POSEIDON_INSTANTIATE(type) \
  template std::string encode_reply(const outcome<type>&); \
  template outcome<type> decode_reply(std::string_view);
POSEIDON_INSTANTIATE(done)
POSEIDON_INSTANTIATE(extended)
POSEIDON_INSTANTIATE(log_text)
POSEIDON_INSTANTIATE(group_stats)
POSEIDON_INSTANTIATE(garbage_report)
POSEIDON_INSTANTIATE(route)
#undef POSEIDON_INSTANTIATE

std::string encode_frame(const ask_route& what) { return frame("ask_route", what, {}); }

outcome<ask_route> decode_ask_route(std::string_view bytes) {
  auto e = decode_envelope(bytes);
  if (!e) return e.error;
  return open<ask_route>(*e, "ask_route");
}

std::string encode_frame(const heartbeat& what) { return frame("heartbeat", what, {}); }

outcome<heartbeat> decode_heartbeat(std::string_view bytes) {
  auto e = decode_envelope(bytes);
  if (!e) return e.error;
  return open<heartbeat>(*e, "heartbeat");
}

std::string encode_frame(const notifier_word& what) { return frame("notifier_word", what, {}); }

outcome<notifier_word> decode_notifier_word(std::string_view bytes) {
  auto e = decode_envelope(bytes);
  if (!e) return e.error;
  return open<notifier_word>(*e, "notifier_word");
}

} // namespace poseidon
