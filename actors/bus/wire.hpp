#pragma once
// The typed messages that cross the bus, as frames and back. One list of commands serves both ends.

#include "messages/bus.hpp"
#include "messages/envelope.hpp"
#include "messages/streams.hpp"

namespace poseidon {

/// A command to a node and what it is answered with; X(message, value of its answer).
#define POSEIDON_NODE_COMMANDS(X) \
  X(stop_instance, done) X(extend_instance, extended) X(read_logs, log_text) X(read_stats, group_stats) \
  X(collect_garbage, garbage_report) X(get_instance, done)

#define POSEIDON_DECLARE(message, reply) \
  std::string encode_frame(const message& what, const std::string& actor); \
  outcome<message> decode_##message(const envelope& from);
POSEIDON_NODE_COMMANDS(POSEIDON_DECLARE)
#undef POSEIDON_DECLARE

/// What streams consist of; X(message). Opened with read_log_stream, which is answered with done. Pieces and the end go to
/// the reader's process, credit and close to the node.
#define POSEIDON_STREAM_WORDS(X) X(read_log_stream) X(stream_piece) X(stream_end) X(stream_credit) X(close_stream)

#define POSEIDON_DECLARE(message) \
  std::string encode_frame(const message& what, const std::string& actor); \
  outcome<message> decode_##message(const envelope& from);
POSEIDON_STREAM_WORDS(POSEIDON_DECLARE)
#undef POSEIDON_DECLARE

/// The reply's frame. One that would be too large for the bus is a failure in its place; a log loses its beginning instead.
template <class T>
std::string encode_reply(const outcome<T>& value);
/// Failure: the one that was sent; bad_request for bytes that are no reply.
template <class T>
outcome<T> decode_reply(std::string_view frame);

std::string encode_frame(const ask_route& what);
/// Errors: as decode_envelope; bad_request when it asks for no route.
outcome<ask_route> decode_ask_route(std::string_view frame);

std::string encode_frame(const heartbeat& what);
/// Errors: as decode_envelope; bad_request when it is no heartbeat.
outcome<heartbeat> decode_heartbeat(std::string_view frame);

std::string encode_frame(const notifier_word& what);
/// Errors: as decode_envelope; bad_request when it is no such word.
outcome<notifier_word> decode_notifier_word(std::string_view frame);

} // namespace poseidon
