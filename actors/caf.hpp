#pragma once
// CAF, with our vocabulary allowed as local messages. BASP is not used: between processes the same messages travel as
// msgpack frames, so nothing here needs a type id or an inspector.

#include "messages/commands.hpp"
#include "messages/streams.hpp"

#include <caf/all.hpp>

namespace poseidon {
template <class T>
struct is_message : std::bool_constant<has_fields<T> || named_enum<T>> {};
template <class T>
struct is_message<outcome<T>> : std::true_type {};
template <class T>
struct is_message<std::shared_ptr<const T>> : std::true_type {};
template <> struct is_message<ensure_group> : std::true_type {};
template <> struct is_message<refresh_group_file> : std::true_type {};
template <> struct is_message<commit_record> : std::true_type {};
template <> struct is_message<journal_contents> : std::true_type {};
/// Marks further local message types: derive or specialise is_message, or add `using poseidon_message = void;`.
template <class T>
  requires requires { typename T::poseidon_message; }
struct is_message<T> : std::true_type {};
} // namespace poseidon

namespace caf {
template <class T>
  requires poseidon::is_message<T>::value
struct allowed_unsafe_message_type<T> : std::true_type {};
} // namespace caf
