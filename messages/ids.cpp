#include "messages/ids.hpp"

#include <charconv>

namespace poseidon {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// A decimal number in its one canonical spelling: no sign, no leading zero.
bool read_number(std::string_view text, std::uint64_t& value) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

} // namespace

std::string to_hex(std::uint64_t high, std::uint64_t low) {
  std::string text(32, '0');
  for (std::size_t i = 0; i < 16; ++i) {
    text[15 - i] = hex_digits[(high >> (4 * i)) & 15];
    text[31 - i] = hex_digits[(low >> (4 * i)) & 15];
  }
  return text;
}

bool from_hex(std::string_view text, std::uint64_t& high, std::uint64_t& low) {
  if (text.size() != 32) return false;
  std::uint64_t parts[2] = {0, 0};
  for (std::size_t i = 0; i < 32; ++i) {
    int digit = digit_value(text[i]);
    if (digit < 0) return false;
    parts[i / 16] = parts[i / 16] << 4 | static_cast<std::uint64_t>(digit);
  }
  high = parts[0];
  low = parts[1];
  return true;
}

std::string to_string(position at) { return std::to_string(at.incarnation) + '-' + std::to_string(at.sequence); }

std::optional<position> position_from_string(std::string_view text) {
  auto dash = text.find('-');
  position at;
  if (dash == std::string_view::npos || !read_number(text.substr(0, dash), at.incarnation) ||
      !read_number(text.substr(dash + 1), at.sequence))
    return std::nullopt;
  return at;
}

std::string to_string(const epoch& e) {
  return to_string(position{e.incarnation, e.sequence}) + '-' + to_string(e.entry);
}

std::optional<epoch> epoch_from_string(std::string_view text) {
  auto dash = text.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  auto at = position_from_string(text.substr(0, dash));
  epoch e;
  if (!at || !from_hex(text.substr(dash + 1), e.entry.high, e.entry.low)) return std::nullopt;
  e.incarnation = at->incarnation;
  e.sequence = at->sequence;
  return e;
}

} // namespace poseidon
