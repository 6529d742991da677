#include "messages/envelope.hpp"

#include "messages/msgpack.hpp"

#include <algorithm>

namespace poseidon {
namespace {

failure malformed(std::string detail) { return {errc::bad_request, std::move(detail), std::nullopt, {}, {}}; }

bool is_hex_id(std::string_view text) {
  auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return std::all_of(text.begin(), text.end(), hex) && text.find_first_not_of('0') != text.npos;
}

/// What every version of the envelope has.
struct version_only {
  std::uint32_t version = 0;
};
POSEIDON_FIELDS(version_only, version)

} // namespace

std::string encode(const envelope& value) { return pack(value); }

outcome<envelope> decode_envelope(std::string_view frame) {
  if (frame.size() > max_frame_bytes) return malformed("a frame of " + std::to_string(frame.size()) + " bytes");
  auto head = unpack<version_only>(frame);
  if (!head) return head.error;
  if (head->version > envelope::current_version)
    return failure{errc::conflict, "an envelope of version " + std::to_string(head->version) + ", from a newer Poseidon", {}, {}, {}};
  auto read = unpack<envelope>(frame);
  if (!read) return read;
  if (read->kind.empty()) return malformed("an envelope without kind");
  if (!read->traceparent.empty() && !is_traceparent(read->traceparent)) return malformed("a malformed traceparent");
  return read;
}

bool is_traceparent(std::string_view text) {
  auto flags = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 55 && text.starts_with("00-") && text[35] == '-' && text[52] == '-' && is_hex_id(text.substr(3, 32)) &&
         is_hex_id(text.substr(36, 16)) && flags(text[53]) && flags(text[54]);
}

} // namespace poseidon
