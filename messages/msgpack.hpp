#pragma once
// msgpack for every type declared with POSEIDON_FIELDS: maps with the fields' names as keys, so that a reader skips what
// it does not know and leaves what is absent at its default. Include it in .cpp files only; see codec.hpp. Members that
// are empty (ids, secrets, lists, maps, optional and shared ones) are left out; so their default must be empty.
//
// ids and enums: str · random ids: bin of 16 · positions: [incarnation, sequence] · epochs: [incarnation, sequence, bin of 16]
// · times: integer milliseconds · secrets: bin, as they are · entry bodies: {"kind", "payload"} · what is not there: nil.

#include "messages/blob.hpp"
#include "messages/errors.hpp"
#include "messages/msgpack_io.hpp"
#include "messages/secret.hpp"
#include "messages/traits.hpp"

#include <utility>

namespace poseidon {
namespace msgpack_detail {

void write_id(msgpack_writer& out, std::uint64_t high, std::uint64_t low);
bool read_id(msgpack_reader& in, std::uint64_t& high, std::uint64_t& low);
bool read_bytes(msgpack_reader& in, std::string& value);

/// True for a member that need not be written: empty, of a kind whose default is empty in every message.
template <class T>
bool left_out(const T& value) {
  if constexpr (is_optional<T> || is_shared<T>) return !value;
  else if constexpr (is_sequence<T> || is_map<T> || is_strong_id<T> || is_random_id<T> || std::is_same_v<T, secret>) return value.empty();
  else if constexpr (std::is_same_v<T, sealed_secret> || std::is_same_v<T, blob>) return value.bytes.empty();
  else return false;
}

template <class T>
void write(msgpack_writer& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) out.boolean(value);
  else if constexpr (std::is_floating_point_v<T>) out.real(value);
  else if constexpr (std::is_unsigned_v<T>) out.uinteger(value);
  else if constexpr (std::is_integral_v<T>) out.integer(value);
  else if constexpr (std::is_same_v<T, std::string>) out.text(value);
  else if constexpr (is_strong_id<T>) out.text(value.value);
  else if constexpr (is_random_id<T>) write_id(out, value.high, value.low);
  else if constexpr (named_enum<T>) out.text(to_string(value));
  else if constexpr (std::is_same_v<T, boot_time> || std::is_same_v<T, wall_time>) out.integer(value.ms);
  else if constexpr (std::is_same_v<T, secret>) out.bytes(value.reveal());
  else if constexpr (std::is_same_v<T, sealed_secret> || std::is_same_v<T, blob>) out.bytes(value.bytes);
  else if constexpr (std::is_same_v<T, position>) {
    out.array(2);
    out.uinteger(value.incarnation);
    out.uinteger(value.sequence);
  } else if constexpr (std::is_same_v<T, epoch>) {
    out.array(3);
    out.uinteger(value.incarnation);
    out.uinteger(value.sequence);
    write(out, value.entry);
  } else if constexpr (std::is_same_v<T, slot>) {
    out.array(2);
    out.text(value.owner.value);
    out.text(value.challenge);
  } else if constexpr (is_optional<T> || is_shared<T>) {
    if (value) write(out, *value);
    else out.nil();
  } else if constexpr (is_sequence<T>) {
    out.array(value.size());
    for (auto& item : value) write(out, item);
  } else if constexpr (is_map<T>) {
    out.map(value.size());
    for (auto& [key, item] : value) {
      write(out, key);
      write(out, item);
    }
  } else if constexpr (is_variant<T>) {
    std::visit(
        [&out](auto& body) {
          out.map(2);
          out.text("kind");
          out.text(body.kind);
          out.text("payload");
          write(out, body);
        },
        value);
  } else {
    std::size_t present = 0;
    poseidon_visit_fields(value, [&present](std::string_view, auto& member) { present += !left_out(member); });
    out.map(present);
    poseidon_visit_fields(value, [&out](std::string_view name, auto& member) {
      if (left_out(member)) return;
      out.text(name);
      write(out, member);
    });
  }
}

template <class T>
bool read(msgpack_reader& in, T& value);

template <class T>
bool read_integer(msgpack_reader& in, T& value) {
  using wide = std::conditional_t<std::is_unsigned_v<T>, std::uint64_t, std::int64_t>;
  wide raw;
  if constexpr (std::is_unsigned_v<T>) {
    if (!in.uinteger(raw)) return false;
  } else if (!in.integer(raw)) return false;
  if (!std::in_range<T>(raw)) return in.fail("a number out of range");
  value = static_cast<T>(raw);
  return true;
}

/// An array of exactly `size`.
inline bool expect_array(msgpack_reader& in, std::size_t size) {
  std::size_t got;
  return in.array(got) && (got == size || in.fail("an array of another size"));
}

/// Fields that come in declared order, as we write them, are read in one pass; others cost a pass each.
template <has_fields T>
bool read_fields(msgpack_reader& in, T& value) {
  std::size_t left;
  std::string_view key;
  if (!in.map(left)) return false;
  bool waiting = false; // `key` has been read, its value has not
  auto advance = [&] {
    if (waiting || left == 0) return;
    --left;
    waiting = in.text(key);
  };
  while ((left > 0 || waiting) && in.ok()) {
    advance();
    bool any = false;
    poseidon_visit_fields(value, [&](std::string_view name, auto& member) {
      if (!waiting || !in.ok() || key != name) return;
      any = true;
      waiting = false;
      if (read(in, member)) advance();
    });
    if (waiting && !any) {
      waiting = false;
      in.skip();
    }
  }
  return in.ok();
}

template <class T>
bool read_sequence(msgpack_reader& in, T& value) {
  std::size_t size;
  if (!in.array(size)) return false;
  value.clear();
  for (std::size_t i = 0; i < size; ++i) {
    typename T::value_type item{};
    if (!in.spend(sizeof item) || !read(in, item)) return false;
    value.insert(value.end(), std::move(item));
  }
  return true;
}

template <class T>
bool read_map(msgpack_reader& in, T& value) {
  std::size_t size;
  if (!in.map(size)) return false;
  value.clear();
  for (std::size_t i = 0; i < size; ++i) {
    typename T::key_type key{};
    typename T::mapped_type item{};
    if (!in.spend(64 + sizeof key + sizeof item) || !read(in, key) || !read(in, item)) return false;
    value.insert_or_assign(std::move(key), std::move(item));
  }
  return true;
}

template <class... T>
bool read_payload(msgpack_reader& in, std::string_view kind, std::variant<T...>& value) {
  auto attempt = [&]<class A>(A* /*type*/) { return kind == A::kind && (read(in, value.template emplace<A>()), true); };
  if (!(attempt(static_cast<T*>(nullptr)) || ...)) return in.fail("an unknown kind: " + std::string(kind.substr(0, 64)));
  return in.ok();
}

/// {"kind", "payload"} in either order; ours comes first and is read in one pass.
template <class... T>
bool read_variant(msgpack_reader& in, std::variant<T...>& value) {
  std::size_t size;
  std::string_view key, kind;
  std::optional<std::size_t> passed; // a payload that came before its kind
  bool done = false;
  if (!in.map(size)) return false;
  for (std::size_t i = 0; i < size; ++i) {
    if (!in.text(key)) return false;
    bool payload = key == "payload", known = !kind.empty();
    if (payload && !known) passed = in.offset();
    if (payload && known) done = read_payload(in, kind, value);
    else if (key == "kind") in.text(kind);
    else in.skip();
    if (!in.ok()) return false;
  }
  if (done) return true;
  if (!passed) return in.fail("no payload");
  auto end = in.offset();
  in.rewind(*passed);
  if (!read_payload(in, kind, value)) return false;
  in.rewind(end);
  return true;
}

template <class T>
bool read(msgpack_reader& in, T& value) {
  std::string_view text;
  if constexpr (std::is_same_v<T, bool>) return in.boolean(value);
  else if constexpr (std::is_floating_point_v<T>) {
    double raw;
    return in.real(raw) && (value = static_cast<T>(raw), true);
  } else if constexpr (std::is_integral_v<T>) return read_integer(in, value);
  else if constexpr (std::is_same_v<T, std::string>) return read_bytes(in, value);
  else if constexpr (is_strong_id<T>) return read_bytes(in, value.value);
  else if constexpr (is_random_id<T>) return read_id(in, value.high, value.low);
  else if constexpr (named_enum<T>) return in.text(text) && (text_to(text, value) || in.fail("an unknown name: " + std::string(text.substr(0, 64))));
  else if constexpr (std::is_same_v<T, boot_time> || std::is_same_v<T, wall_time>) return in.integer(value.ms);
  else if constexpr (std::is_same_v<T, secret>) return in.text(text) && (value = secret{std::string(text)}, true);
  else if constexpr (std::is_same_v<T, sealed_secret> || std::is_same_v<T, blob>) return read_bytes(in, value.bytes);
  else if constexpr (std::is_same_v<T, position>)
    return expect_array(in, 2) && in.uinteger(value.incarnation) && in.uinteger(value.sequence);
  else if constexpr (std::is_same_v<T, epoch>)
    return expect_array(in, 3) && in.uinteger(value.incarnation) && in.uinteger(value.sequence) && read(in, value.entry);
  else if constexpr (std::is_same_v<T, slot>)
    return expect_array(in, 2) && read(in, value.owner) && read_bytes(in, value.challenge);
  else if constexpr (is_optional<T>) return in.nil() ? (value.reset(), true) : read(in, value.emplace());
  else if constexpr (is_shared<T>) {
    value.reset();
    if (in.nil()) return true;
    using made_type = std::remove_const_t<typename T::element_type>;
    if (!in.spend(64 + sizeof(made_type))) return false;
    auto made = std::make_shared<made_type>();
    if (!read(in, *made)) return false;
    value = std::move(made);
    return true;
  } else if constexpr (is_sequence<T>) return read_sequence(in, value);
  else if constexpr (is_map<T>) return read_map(in, value);
  else if constexpr (is_variant<T>) return read_variant(in, value);
  else return read_fields(in, value);
}

/// What unpack answers for bytes that are no T.
failure unreadable(const msgpack_reader& in);

} // namespace msgpack_detail

/// Appends the value's msgpack to `out`.
template <class T>
void pack_to(std::string& out, const T& value) {
  msgpack_writer writer(out);
  msgpack_detail::write(writer, value);
}

template <class T>
std::string pack(const T& value) {
  std::string out;
  pack_to(out, value);
  return out;
}

/// Reads bytes of any origin; bad_request with the place of the fault. Never throws.
template <class T>
outcome<T> unpack(std::string_view bytes) {
  msgpack_reader in(bytes);
  outcome<T> result{T{}};
  if (msgpack_detail::read(in, *result) && (in.at_end() || in.fail("more after the end"))) return result;
  return msgpack_detail::unreadable(in);
}

} // namespace poseidon
