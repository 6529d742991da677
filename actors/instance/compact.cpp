#include "actors/instance/compact.hpp"

#include <algorithm>
#include <tuple>

namespace poseidon::compact {
namespace {

constexpr std::size_t worth_it = 16;     ///< a shorter run of hex digits is kept as it is
constexpr std::size_t worth_knowing = 8; ///< a shorter text is not looked for in later ones
constexpr unsigned kind_bits = 2, kind_mask = 3, kind_plain = 0, kind_hex = 1, kind_known = 2;

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/// Where the next run of hex digits that is worth packing begins, and its (even) length; length 0: there is none.
std::pair<std::size_t, std::size_t> next_run(std::string_view text) {
  for (std::size_t from = 0; from < text.size();) {
    auto to = from;
    while (to < text.size() && digit(text[to]) >= 0) ++to;
    if (to - from >= worth_it) return {from, (to - from) & ~std::size_t{1}};
    from = to + 1;
  }
  return {text.size(), 0};
}

} // namespace

// A text is a piece, or (lowest bits of its first number) a known text between two pieces.
void writer::text(std::string_view value) {
  const std::string* best = nullptr;
  for (const auto& known : known_)
    if ((!best || known.size() > best->size()) && value.find(known) != value.npos) best = &known;
  if (best) {
    const auto at = value.find(*best);
    number(static_cast<std::uint64_t>(best - known_.data()) << kind_bits | kind_known);
    piece(value.substr(0, at));
    piece(value.substr(at + best->size()));
  } else {
    piece(value);
  }
  if (value.size() >= worth_knowing) known_.emplace_back(value);
}

// A piece is its length, then parts until that length is reached: a plain one (length, bytes), a hex one (length, digits two a
// byte), and so on; without hex parts, it is its length and its bytes.
void writer::piece(std::string_view value) {
  auto [from, length] = next_run(value);
  number(value.size() << kind_bits | (length > 0 ? kind_hex : kind_plain));
  if (length == 0) {
    out_.append(value);
    return;
  }
  while (!value.empty()) {
    number(from);
    out_.append(value.substr(0, from));
    number(length);
    for (std::size_t i = from; i < from + length; i += 2) out_.push_back(static_cast<char>(digit(value[i]) << 4 | digit(value[i + 1])));
    value.remove_prefix(from + length);
    std::tie(from, length) = next_run(value);
  }
}

std::string_view reader::take(std::size_t size) {
  if (size > in_.size()) throw std::logic_error("compact: the bytes end early");
  const auto taken = in_.substr(0, size);
  in_.remove_prefix(size);
  return taken;
}

std::uint64_t reader::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(1)[0]);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return value;
  }
}

std::uint64_t reader::fixed() {
  std::uint64_t value;
  std::memcpy(&value, take(sizeof value).data(), sizeof value);
  return value;
}

std::string reader::text() {
  const auto head = number();
  std::string value;
  if ((head & kind_mask) == kind_known) {
    const auto which = head >> kind_bits;
    if (which >= known_.size()) throw std::logic_error("compact: a text that is not known");
    value = piece(number());
    value += known_[which];
    value += piece(number());
  } else {
    value = piece(head);
  }
  if (value.size() >= worth_knowing) known_.push_back(value);
  return value;
}

std::string reader::piece(std::uint64_t head) {
  const auto size = head >> kind_bits;
  if ((head & kind_mask) == kind_plain) return std::string(take(size));
  std::string value;
  value.reserve(std::min<std::uint64_t>(size, 2 * in_.size()));
  while (value.size() < size) {
    value.append(take(number()));
    for (const char byte : take(number() / 2)) {
      value.push_back("0123456789abcdef"[static_cast<unsigned char>(byte) >> 4]);
      value.push_back("0123456789abcdef"[byte & 15]);
    }
  }
  return value;
}

} // namespace poseidon::compact
