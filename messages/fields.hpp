#pragma once
// A message is declared once: an aggregate struct, and one line POSEIDON_FIELDS(type, every, member, in, order).
// JSON, msgpack and CAF adapters are generic over that line; a member left out of it does not compile.

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace poseidon {

/// True for types declared with POSEIDON_FIELDS.
template <class T>
concept has_fields = requires { poseidon_field_count(static_cast<const T*>(nullptr)); };

/// Number of fields that T declares.
template <has_fields T>
constexpr std::size_t field_count = poseidon_field_count(static_cast<const T*>(nullptr));

} // namespace poseidon

#define POSEIDON_PARENS ()
#define POSEIDON_EXPAND(...) POSEIDON_EXPAND4(POSEIDON_EXPAND4(POSEIDON_EXPAND4(POSEIDON_EXPAND4(__VA_ARGS__))))
#define POSEIDON_EXPAND4(...) POSEIDON_EXPAND3(POSEIDON_EXPAND3(POSEIDON_EXPAND3(POSEIDON_EXPAND3(__VA_ARGS__))))
#define POSEIDON_EXPAND3(...) POSEIDON_EXPAND2(POSEIDON_EXPAND2(POSEIDON_EXPAND2(POSEIDON_EXPAND2(__VA_ARGS__))))
#define POSEIDON_EXPAND2(...) __VA_ARGS__
#define POSEIDON_EACH(macro, ...) __VA_OPT__(POSEIDON_EXPAND(POSEIDON_EACH_STEP(macro, __VA_ARGS__)))
#define POSEIDON_EACH_STEP(macro, first, ...)                                                                          \
  macro(first) __VA_OPT__(POSEIDON_EACH_AGAIN POSEIDON_PARENS(macro, __VA_ARGS__))
#define POSEIDON_EACH_AGAIN() POSEIDON_EACH_STEP

#define POSEIDON_FIELD_COUNT(member) +1
#define POSEIDON_FIELD_VISIT(member) visit(std::string_view{#member}, poseidon_value.member);

/// Declares the fields of an aggregate, in the aggregate's own namespace. The structured binding fails to compile when
/// the list and the struct differ in number; a misspelt name fails by itself.
#define POSEIDON_FIELDS(type, ...)                                                                                     \
  constexpr std::size_t poseidon_field_count(const type*) { return 0 POSEIDON_EACH(POSEIDON_FIELD_COUNT, __VA_ARGS__); } \
  inline void poseidon_fields_complete([[maybe_unused]] type& poseidon_value) {                                                 \
    [[maybe_unused]] auto& [__VA_ARGS__] = poseidon_value;                                                                 \
  }                                                                                                                    \
  template <class Visit>                                                                                               \
  constexpr void poseidon_visit_fields(type& poseidon_value, Visit&& visit) {                                                   \
    POSEIDON_EACH(POSEIDON_FIELD_VISIT, __VA_ARGS__)                                                                   \
  }                                                                                                                    \
  template <class Visit>                                                                                               \
  constexpr void poseidon_visit_fields(const type& poseidon_value, Visit&& visit) {                                             \
    POSEIDON_EACH(POSEIDON_FIELD_VISIT, __VA_ARGS__)                                                                   \
  }

/// Declares an aggregate without fields (a message that is only its name).
#define POSEIDON_NO_FIELDS(type)                                                                                       \
  constexpr std::size_t poseidon_field_count(const type*) { return 0; }                                                \
  template <class Visit>                                                                                               \
  constexpr void poseidon_visit_fields(type&, Visit&&) {}                                                              \
  template <class Visit>                                                                                               \
  constexpr void poseidon_visit_fields(const type&, Visit&&) {}

#define POSEIDON_ENUM_NAME(enumerator) std::string_view{#enumerator},
#define POSEIDON_ENUM_VALUE(enumerator) poseidon_enum::enumerator,

/// Declares an enum's names, in the enum's own namespace: they are its spelling in JSON, msgpack and text.
#define POSEIDON_ENUM(type, ...)                                                                                       \
  constexpr auto poseidon_enum_names(type) {                                                                           \
    return std::array{POSEIDON_EACH(POSEIDON_ENUM_NAME, __VA_ARGS__)};                                                 \
  }                                                                                                                    \
  constexpr auto poseidon_enum_values(type) {                                                                          \
    using poseidon_enum = type;                                                                                        \
    return std::array{POSEIDON_EACH(POSEIDON_ENUM_VALUE, __VA_ARGS__)};                                                \
  }
