#pragma once
// Random values of any message, the same for the same seed on every machine.

#include "messages/blob.hpp"
#include "messages/secret.hpp"
#include "messages/traits.hpp"

#include <limits>

namespace poseidon::test {

/// splitmix64: small, and not the standard library's (whose distributions differ).
class dice {
public:
  explicit dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t roll() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return roll() % n; }
  bool flip() { return below(2) == 1; }

private:
  std::uint64_t state_;
};

/// Valid UTF-8, with what is hard among it.
inline std::string random_text(dice& d) {
  static constexpr std::string_view pieces[] = {"a", "Z", "0", " ", ".", "*", ">", "/", "\"", "\\", "\n", "\t", "ü", "漢", "🔱", "\x01", "x-y", "null"};
  std::string text;
  for (auto n = d.below(d.below(8) == 0 ? 60 : 7); n > 0; --n) text += pieces[d.below(std::size(pieces))];
  return text;
}

inline std::string random_bytes_text(dice& d) {
  std::string bytes;
  for (auto n = d.below(40); n > 0; --n) bytes += static_cast<char>(d.below(256));
  return bytes;
}

template <class T>
T random_number(dice& d) {
  using limits = std::numeric_limits<T>;
  switch (d.below(4)) {
  case 0: return static_cast<T>(d.below(100));
  case 1: return limits::max();
  case 2: return limits::min();
  default: return static_cast<T>(d.roll() >> d.below(64));
  }
}

/// Fills `value`; `depth` bounds what lists and maps hold.
template <class T>
void randomize(dice& d, T& value, int depth = 4) {
  if constexpr (std::is_same_v<T, bool>) value = d.flip();
  else if constexpr (std::is_integral_v<T>) value = random_number<T>(d);
  else if constexpr (std::is_floating_point_v<T>) value = static_cast<T>(d.below(1000)) / 8;
  else if constexpr (std::is_same_v<T, std::string>) value = random_text(d);
  else if constexpr (is_strong_id<T>) value.value = random_text(d);
  else if constexpr (is_random_id<T>) value = {d.roll(), d.flip() ? d.roll() : 0};
  else if constexpr (named_enum<T>) {
    constexpr auto all = poseidon_enum_values(T{});
    value = all[d.below(all.size())];
  } else if constexpr (std::is_same_v<T, wall_time>) value.ms = static_cast<std::int64_t>(d.below(314'538'681'600'000)) - 62'167'219'200'000; // years 0 to 9999
  else if constexpr (std::is_same_v<T, boot_time>) value.ms = random_number<std::int64_t>(d);
  else if constexpr (std::is_same_v<T, secret>) value = secret{random_bytes_text(d)};
  else if constexpr (std::is_same_v<T, sealed_secret> || std::is_same_v<T, blob>) value.bytes = random_bytes_text(d);
  else if constexpr (std::is_same_v<T, position>) value = {random_number<std::uint64_t>(d), random_number<std::uint64_t>(d)};
  else if constexpr (std::is_same_v<T, epoch>) value = {random_number<std::uint64_t>(d), random_number<std::uint64_t>(d), {d.roll(), d.roll()}};
  else if constexpr (std::is_same_v<T, slot>) value = {owner_key{random_text(d)}, random_text(d)};
  else if constexpr (is_optional<T>) {
    value.reset();
    if (d.flip()) randomize(d, value.emplace(), depth);
  } else if constexpr (is_shared<T>) {
    value.reset();
    if (!d.flip()) return;
    auto made = std::make_shared<std::remove_const_t<typename T::element_type>>();
    randomize(d, *made, depth);
    value = std::move(made);
  } else if constexpr (is_sequence<T>) {
    value.clear();
    for (auto n = depth > 0 ? d.below(4) : 0; n > 0; --n) {
      typename T::value_type item{};
      randomize(d, item, depth - 1);
      value.insert(value.end(), std::move(item));
    }
  } else if constexpr (is_map<T>) {
    value.clear();
    for (auto n = depth > 0 ? d.below(4) : 0; n > 0; --n) {
      typename T::key_type key{};
      randomize(d, key, depth - 1);
      randomize(d, value[key], depth - 1);
    }
  } else if constexpr (is_variant<T>) {
    auto which = d.below(std::variant_size_v<T>);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((which == I ? randomize(d, value.template emplace<I>(), depth) : void()), ...);
    }(std::make_index_sequence<std::variant_size_v<T>>{});
  } else
    poseidon_visit_fields(value, [&](std::string_view, auto& member) { randomize(d, member, depth); });
}

template <class T>
T random_value(std::uint64_t seed) {
  dice d(seed);
  T value{};
  randomize(d, value);
  return value;
}

} // namespace poseidon::test
