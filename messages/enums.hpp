#pragma once
// Text for enums declared with POSEIDON_ENUM.

#include "messages/fields.hpp"

#include <optional>

namespace poseidon {

/// True for enums declared with POSEIDON_ENUM.
template <class T>
concept named_enum = std::is_enum_v<T> && requires(T v) { poseidon_enum_names(v); };

/// The enumerator's name, as JSON and msgpack spell it; "?" for a value outside the enum. A trailing underscore (for
/// names that C++ keeps to itself, like `private_`) is not part of the spelling.
template <named_enum E>
constexpr std::string_view to_string(E value) {
  constexpr auto names = poseidon_enum_names(E{});
  constexpr auto values = poseidon_enum_values(E{});
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] == value) return names[i].ends_with('_') ? names[i].substr(0, names[i].size() - 1) : names[i];
  return "?";
}

/// The enumerator of that name, or nothing.
template <named_enum E>
constexpr std::optional<E> enum_from_string(std::string_view name) {
  for (auto value : poseidon_enum_values(E{}))
    if (to_string(value) == name) return value;
  return std::nullopt;
}

} // namespace poseidon
