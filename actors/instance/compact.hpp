#pragma once
// The smallest form of a value that stays in this process's memory: fields in declared order without names, variable-length
// integers, runs of hex digits (digests, container ids) at half their length, a text within a later one (a host in its URL) once.
// Never stored, never sent: it has no version. Shared members are left out; whoever packs keeps them.

#include "messages/secret.hpp"
#include "messages/fields.hpp"
#include "messages/traits.hpp"

#include <cstring>
#include <stdexcept>
#include <vector>

namespace poseidon::compact {

class writer {
public:
  /// `known`: texts that the reader will be given, too.
  explicit writer(std::string& out, std::vector<std::string> known = {}) : out_(out), known_(std::move(known)) {}
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  void fixed(std::uint64_t value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void text(std::string_view value);

private:
  void piece(std::string_view value);
  std::string& out_;
  std::vector<std::string> known_; ///< and those written so far
};

/// Reads what a writer wrote; throws std::logic_error when the bytes end early.
class reader {
public:
  explicit reader(std::string_view in, std::vector<std::string> known = {}) : in_(in), known_(std::move(known)) {}
  std::uint64_t number();
  std::uint64_t fixed();
  std::string text();

private:
  std::string_view take(std::size_t size);
  std::string piece(std::uint64_t head);
  std::string_view in_;
  std::vector<std::string> known_;
};

constexpr std::uint64_t zigzag(std::int64_t v) { return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63); }
constexpr std::int64_t unzigzag(std::uint64_t v) { return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1); }

template <class T>
void put(writer& out, const T& value) {
  if constexpr (std::is_same_v<T, bool> || std::is_unsigned_v<T>) out.number(value);
  else if constexpr (std::is_integral_v<T>) out.number(zigzag(value));
  else if constexpr (std::is_enum_v<T>) out.number(static_cast<std::uint64_t>(value));
  else if constexpr (std::is_same_v<T, std::string>) out.text(value);
  else if constexpr (is_strong_id<T>) out.text(value.value);
  else if constexpr (std::is_same_v<T, secret>) out.text(value.reveal());
  else if constexpr (std::is_same_v<T, boot_time> || std::is_same_v<T, wall_time>) out.number(zigzag(value.ms));
  else if constexpr (is_random_id<T>) out.fixed(value.high), out.fixed(value.low);
  else if constexpr (std::is_same_v<T, epoch>) out.number(value.incarnation), out.number(value.sequence), put(out, value.entry);
  else if constexpr (is_shared<T>) {
  } else if constexpr (is_optional<T>) {
    out.number(value.has_value());
    if (value) put(out, *value);
  } else if constexpr (is_sequence<T>) {
    out.number(value.size());
    for (const auto& item : value) put(out, item);
  } else {
    static_assert(has_fields<T>);
    poseidon_visit_fields(value, [&out](std::string_view, const auto& member) { put(out, member); });
  }
}

template <class T>
void get(reader& in, T& value) {
  if constexpr (std::is_same_v<T, bool> || std::is_unsigned_v<T> || std::is_enum_v<T>) value = static_cast<T>(in.number());
  else if constexpr (std::is_integral_v<T>) value = static_cast<T>(unzigzag(in.number()));
  else if constexpr (std::is_same_v<T, std::string>) value = in.text();
  else if constexpr (is_strong_id<T>) value.value = in.text();
  else if constexpr (std::is_same_v<T, secret>) value = secret{in.text()};
  else if constexpr (std::is_same_v<T, boot_time> || std::is_same_v<T, wall_time>) value.ms = unzigzag(in.number());
  else if constexpr (is_random_id<T>) value.high = in.fixed(), value.low = in.fixed();
  else if constexpr (std::is_same_v<T, epoch>) value.incarnation = in.number(), value.sequence = in.number(), get(in, value.entry);
  else if constexpr (is_shared<T>) {
  } else if constexpr (is_optional<T>) {
    value.reset();
    if (in.number()) get(in, value.emplace());
  } else if constexpr (is_sequence<T>) {
    value.clear();
    for (auto left = in.number(); left > 0; --left) get(in, value.emplace_back());
    value.shrink_to_fit();
  } else {
    static_assert(has_fields<T>);
    poseidon_visit_fields(value, [&in](std::string_view, auto& member) { get(in, member); });
  }
}

} // namespace poseidon::compact
