#include "messages/msgpack.hpp"

namespace poseidon::msgpack_detail {

void write_id(msgpack_writer& out, std::uint64_t high, std::uint64_t low) {
  char raw[16];
  for (int i = 0; i < 8; ++i) {
    raw[i] = static_cast<char>(high >> (56 - 8 * i) & 255);
    raw[8 + i] = static_cast<char>(low >> (56 - 8 * i) & 255);
  }
  out.bytes({raw, sizeof raw});
}

bool read_id(msgpack_reader& in, std::uint64_t& high, std::uint64_t& low) {
  std::string_view raw;
  if (!in.text(raw)) return false;
  if (raw.size() != 16) return in.fail("an id of another size");
  high = low = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    auto& half = i < 8 ? high : low;
    half = half << 8 | static_cast<unsigned char>(raw[i]);
  }
  return true;
}

bool read_bytes(msgpack_reader& in, std::string& value) {
  std::string_view text;
  if (!in.text(text)) return false;
  value.assign(text);
  return true;
}

failure unreadable(const msgpack_reader& in) { return {errc::bad_request, in.fault(), std::nullopt, {}, {}}; }

} // namespace poseidon::msgpack_detail
