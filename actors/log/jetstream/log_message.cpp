#include "actors/log/jetstream/log_message.hpp"

#include "messages/msgpack.hpp"

namespace poseidon {
namespace {

/// The version alone: a newer form is named as such even where its other fields can't be read.
struct version_only {
  std::uint32_t version = 0;
};
POSEIDON_FIELDS(version_only, version)

} // namespace

std::string encode(const log_message& what) { return pack(what); }

outcome<log_message> decode_log_message(std::string_view bytes) {
  auto read = unpack<log_message>(bytes);
  if (read && read->version == log_message::current_version) return read;
  if (auto head = unpack<version_only>(bytes); head && head->version > log_message::current_version)
    return failure{errc::conflict, "a message of the log was written by a newer Poseidon (form " + std::to_string(head->version) + ")", {}, {}, {}};
  return failure{errc::bad_request, "no message of the log", {}, {}, {}};
}

std::uint64_t entries_in(const outcome<log_message>& message) {
  if (!message) return message.error.code == errc::conflict ? 1 : 0;
  return message->parts.empty() ? message->entries.size() : 1;
}

} // namespace poseidon
