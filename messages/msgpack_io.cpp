#include "messages/msgpack_io.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace poseidon {

// --- writer ---------------------------------------------------------------------------------------------------------

void msgpack_writer::big_endian(std::uint64_t value, int size) {
  char piece[8];
  for (int i = 0, shift = 8 * (size - 1); shift >= 0; ++i, shift -= 8) piece[i] = static_cast<char>(value >> shift & 255);
  out_.append(piece, static_cast<std::size_t>(size));
}

void msgpack_writer::uinteger(std::uint64_t value) {
  if (value < 128) return byte(static_cast<unsigned>(value));
  int log2_size = value <= 0xff ? 0 : value <= 0xffff ? 1 : value <= 0xffff'ffff ? 2 : 3;
  byte(0xcc + static_cast<unsigned>(log2_size));
  big_endian(value, 1 << log2_size);
}

void msgpack_writer::integer(std::int64_t value) {
  if (value >= 0) return uinteger(static_cast<std::uint64_t>(value));
  if (value >= -32) return byte(static_cast<unsigned>(value & 255));
  int log2_size = value >= -128 ? 0 : value >= -32768 ? 1 : value >= std::numeric_limits<std::int32_t>::min() ? 2 : 3;
  byte(0xd0 + static_cast<unsigned>(log2_size));
  big_endian(static_cast<std::uint64_t>(value), 1 << log2_size);
}

void msgpack_writer::real(double value) {
  byte(0xcb);
  big_endian(std::bit_cast<std::uint64_t>(value), 8);
}

void msgpack_writer::text(std::string_view value) {
  if (value.size() < 32) { // mostly a field's name: in one piece
    char piece[32];
    piece[0] = static_cast<char>(0xa0 | value.size());
    std::copy(value.begin(), value.end(), piece + 1);
    out_.append(piece, value.size() + 1);
    return;
  }
  int log2_size = value.size() <= 0xff ? 0 : value.size() <= 0xffff ? 1 : 2;
  byte(0xd9 + static_cast<unsigned>(log2_size));
  big_endian(value.size(), 1 << log2_size);
  out_.append(value);
}

void msgpack_writer::bytes(std::string_view value) {
  int log2_size = value.size() <= 0xff ? 0 : value.size() <= 0xffff ? 1 : 2;
  byte(0xc4 + static_cast<unsigned>(log2_size));
  big_endian(value.size(), 1 << log2_size);
  out_.append(value);
}

void msgpack_writer::collection(std::size_t size, unsigned fix, unsigned sixteen) {
  if (size < 16) return byte(fix | static_cast<unsigned>(size));
  bool wide = size > 0xffff;
  byte(sixteen + (wide ? 1 : 0));
  big_endian(size, wide ? 4 : 2);
}

// --- reader ---------------------------------------------------------------------------------------------------------

bool msgpack_reader::fail(std::string_view why) {
  if (fault_.empty()) fault_ = "byte " + std::to_string(at_) + ": " + std::string(why);
  return false;
}

bool msgpack_reader::spend(std::size_t bytes) {
  if (!ok()) return false;
  if (bytes > budget_) return fail("holds far more values than bytes");
  budget_ -= bytes;
  return true;
}

bool msgpack_reader::next(unsigned& tag) {
  if (!ok()) return false;
  if (at_end()) return fail("ends too early");
  tag = static_cast<unsigned char>(in_[at_++]);
  return true;
}

bool msgpack_reader::big_endian(int size, std::uint64_t& value) {
  std::string_view raw;
  if (!take(static_cast<std::size_t>(size), raw)) return false;
  value = 0;
  for (char c : raw) value = value << 8 | static_cast<unsigned char>(c);
  return true;
}

bool msgpack_reader::take(std::size_t size, std::string_view& value) {
  if (!ok()) return false;
  if (size > in_.size() - at_) return fail("ends too early");
  value = in_.substr(at_, size);
  at_ += size;
  return true;
}

bool msgpack_reader::nil() {
  if (!ok() || at_end() || static_cast<unsigned char>(in_[at_]) != 0xc0) return false;
  ++at_;
  return true;
}

bool msgpack_reader::boolean(bool& value) {
  unsigned tag;
  if (!next(tag)) return false;
  if (tag != 0xc2 && tag != 0xc3) return --at_, fail("not a boolean");
  value = tag == 0xc3;
  return true;
}

bool msgpack_reader::any_integer(std::uint64_t& value, bool& negative) {
  unsigned tag;
  if (!next(tag)) return false;
  negative = false;
  if (tag < 0x80) return value = tag, true;
  if (tag >= 0xe0) return value = static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int8_t>(tag))), negative = true;
  if (tag >= 0xcc && tag <= 0xcf) return big_endian(1 << (tag - 0xcc), value);
  if (tag < 0xd0 || tag > 0xd3) return --at_, fail("not an integer");
  int size = 1 << (tag - 0xd0);
  if (!big_endian(size, value)) return false;
  std::uint64_t sign = std::uint64_t{1} << (8 * size - 1);
  negative = (value & sign) != 0;
  if (negative && size < 8) value |= ~((sign << 1) - 1);
  return true;
}

bool msgpack_reader::uinteger(std::uint64_t& value) {
  bool negative;
  std::uint64_t raw;
  if (!any_integer(raw, negative)) return false;
  if (negative) return fail("a negative number");
  value = raw;
  return true;
}

bool msgpack_reader::integer(std::int64_t& value) {
  bool negative;
  std::uint64_t raw;
  if (!any_integer(raw, negative)) return false;
  if (!negative && raw > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return fail("a number too large");
  value = static_cast<std::int64_t>(raw);
  return true;
}

bool msgpack_reader::real(double& value) {
  unsigned tag;
  std::uint64_t raw;
  if (!next(tag)) return false;
  if (tag == 0xcb) return big_endian(8, raw) && (value = std::bit_cast<double>(raw), true);
  if (tag == 0xca) return big_endian(4, raw) && (value = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(raw))), true);
  --at_;
  std::int64_t whole;
  if (!integer(whole)) return false;
  value = static_cast<double>(whole);
  return true;
}

bool msgpack_reader::text(std::string_view& value) {
  unsigned tag;
  std::uint64_t size;
  if (!next(tag)) return false;
  if (tag >= 0xa0 && tag <= 0xbf) return take(tag & 31, value);
  if (tag >= 0xd9 && tag <= 0xdb) return big_endian(1 << (tag - 0xd9), size) && take(size, value);
  if (tag >= 0xc4 && tag <= 0xc6) return big_endian(1 << (tag - 0xc4), size) && take(size, value);
  return --at_, fail("not a string");
}

bool msgpack_reader::array(std::size_t& size) {
  unsigned tag;
  std::uint64_t wide;
  if (!next(tag)) return false;
  if (tag >= 0x90 && tag <= 0x9f) return size = tag & 15, true;
  if (tag == 0xdc || tag == 0xdd) return big_endian(tag == 0xdc ? 2 : 4, wide) && (size = wide, true);
  return --at_, fail("not an array");
}

bool msgpack_reader::map(std::size_t& size) {
  unsigned tag;
  std::uint64_t wide;
  if (!next(tag)) return false;
  if (tag >= 0x80 && tag <= 0x8f) return size = tag & 15, true;
  if (tag == 0xde || tag == 0xdf) return big_endian(tag == 0xde ? 2 : 4, wide) && (size = wide, true);
  return --at_, fail("not a map");
}

bool msgpack_reader::skip_one(std::uint64_t& pending) {
  unsigned tag;
  std::uint64_t size = 0;
  std::string_view ignored;
  std::size_t count;
  if (!next(tag)) return false;
  if (tag < 0x80 || tag >= 0xe0 || tag == 0xc0 || tag == 0xc2 || tag == 0xc3) return true;
  if (tag == 0xca) return take(4, ignored);
  if (tag == 0xcb) return take(8, ignored);
  if (tag >= 0xcc && tag <= 0xd3) return take(std::size_t{1} << ((tag - 0xcc) & 3), ignored);
  if (tag >= 0xd4 && tag <= 0xd8) return take((std::size_t{1} << (tag - 0xd4)) + 1, ignored); // fixed ext
  if (tag >= 0xc7 && tag <= 0xc9) return big_endian(1 << (tag - 0xc7), size) && take(size + 1, ignored); // ext
  if (tag == 0xc1) return --at_, fail("not msgpack");
  --at_;
  if ((tag & 0xf0) == 0x90 || tag == 0xdc || tag == 0xdd) return array(count) && (pending += count, true);
  if ((tag & 0xf0) == 0x80 || tag == 0xde || tag == 0xdf) return map(count) && (pending += 2 * count, true);
  return text(ignored);
}

bool msgpack_reader::skip() {
  for (std::uint64_t pending = 1; pending > 0; --pending)
    if (!skip_one(pending)) return false;
  return true;
}

} // namespace poseidon
