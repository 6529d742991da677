#pragma once
// What the generic codecs (JSON, msgpack) know about the types of the vocabulary.

#include "messages/enums.hpp"
#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace poseidon {

template <class T> inline constexpr bool is_strong_id = false;
template <class Tag> inline constexpr bool is_strong_id<strong_id<Tag>> = true;
template <class T> inline constexpr bool is_random_id = false;
template <class Tag> inline constexpr bool is_random_id<random_id<Tag>> = true;
template <class T> inline constexpr bool is_optional = false;
template <class T> inline constexpr bool is_optional<std::optional<T>> = true;
template <class T> inline constexpr bool is_shared = false;
template <class T> inline constexpr bool is_shared<std::shared_ptr<T>> = true;
template <class T> inline constexpr bool is_sequence = false;
template <class T> inline constexpr bool is_sequence<std::vector<T>> = true;
template <class T> inline constexpr bool is_sequence<std::deque<T>> = true;
template <class T> inline constexpr bool is_sequence<std::set<T>> = true;
template <class T> inline constexpr bool is_map = false;
template <class K, class V> inline constexpr bool is_map<std::map<K, V>> = true;
template <class T> inline constexpr bool is_variant = false;
template <class... T> inline constexpr bool is_variant<std::variant<T...>> = true;

/// Types that have one text form, in which they appear in JSON and as map keys.
template <class T>
concept has_text = std::is_same_v<T, std::string> || is_strong_id<T> || is_random_id<T> || named_enum<T> ||
                   std::is_same_v<T, position> || std::is_same_v<T, epoch> || std::is_same_v<T, wall_time>;

template <has_text T>
std::string text_of(const T& value) {
  if constexpr (std::is_same_v<T, std::string>) return value;
  else if constexpr (is_strong_id<T>) return value.value;
  else if constexpr (std::is_same_v<T, wall_time>) return to_rfc3339(value);
  else return std::string(to_string(value));
}

/// Reads the text form; false, and `value` untouched, when malformed.
template <has_text T>
bool text_to(std::string_view text, T& value) {
  auto take = [&value](auto read) {
    if (read) value = *read;
    return read.has_value();
  };
  if constexpr (std::is_same_v<T, std::string>) return value = std::string(text), true;
  else if constexpr (is_strong_id<T>) return value.value = std::string(text), true;
  else if constexpr (is_random_id<T>) return from_hex(text, value.high, value.low);
  else if constexpr (named_enum<T>) return take(enum_from_string<T>(text));
  else if constexpr (std::is_same_v<T, position>) return take(position_from_string(text));
  else if constexpr (std::is_same_v<T, epoch>) return take(epoch_from_string(text));
  else return take(from_rfc3339(text));
}

/// What a text form is called when one was expected.
template <has_text T>
std::string text_name() {
  if constexpr (is_random_id<T>) return "32 hex digits";
  else if constexpr (std::is_same_v<T, position>) return "a position (<incarnation>-<sequence>)";
  else if constexpr (std::is_same_v<T, epoch>) return "an epoch (<incarnation>-<sequence>-<32 hex digits>)";
  else if constexpr (std::is_same_v<T, wall_time>) return "an RFC 3339 time";
  else if constexpr (named_enum<T>) {
    std::string names = "one of";
    for (auto v : poseidon_enum_values(T{})) names.append(" ").append(to_string(v));
    return names;
  } else return "a string";
}

} // namespace poseidon
