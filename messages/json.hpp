#pragma once
// JSON for every type declared with POSEIDON_FIELDS. Heavy: include it in .cpp files only.
//
// ids, enums, positions, epochs, wall times: text · boot times: milliseconds · secrets: "***" · sealed secrets and blobs:
// base64 · entry bodies: {"kind", "payload"} · what is not there: null.

#include "messages/blob.hpp"
#include "messages/errors.hpp"
#include "messages/secret.hpp"
#include "messages/traits.hpp"

#include <nlohmann/json.hpp>

#include <limits>

namespace poseidon {

/// Parses a stranger's text: nesting bounded, one value, no comments. Failure: invalid_json with the byte.
outcome<nlohmann::json> parse_json(std::string_view text, std::size_t max_depth = 32);
/// The text of a value; what is not UTF-8 in it is replaced, never thrown.
std::string dump_json(const nlohmann::json& value);

std::string to_base64(std::string_view bytes);
/// Nothing when it is not padded base64.
std::optional<std::string> from_base64(std::string_view text);

template <class T>
nlohmann::json to_json(const T& value);

namespace json_detail {

/// Where in the input a value is; strings are only made when there is a problem to tell.
struct place {
  const place* parent = nullptr;
  std::string_view name;
  std::size_t index = 0; ///< when there is no name
  std::string text() const;
};

/// Collects every problem of one input.
struct problems {
  std::vector<field_problem> list;
  void add(const place& at, std::string detail) { list.push_back({at.text(), std::move(detail)}); }
};

/// "expected a string, not a number"
std::string mismatch(std::string_view expected, const nlohmann::json& got);
/// The keys of `object` that are not among `known`, each a problem.
void refuse_unknown(const nlohmann::json& object, const std::vector<std::string_view>& known, const place& at, problems& out);

template <class T>
void read(const nlohmann::json& in, T& value, const place& at, problems& out);

template <has_text T>
void read_text(const nlohmann::json& in, T& value, const place& at, problems& out) {
  if constexpr (is_strong_id<T>) // ids are strings, integers are accepted
    if (in.is_number_integer()) return void(value.value = in.dump());
  if (!in.is_string()) return out.add(at, mismatch(text_name<T>(), in));
  if (!text_to(std::string_view{in.get_ref<const std::string&>()}, value)) out.add(at, "expected " + text_name<T>());
}

template <class T>
void read_number(const nlohmann::json& in, T& value, const place& at, problems& out) {
  if constexpr (std::is_floating_point_v<T>) {
    if (!in.is_number()) return out.add(at, mismatch("a number", in));
    value = in.get<T>();
  } else {
    using limits = std::numeric_limits<T>;
    if (!in.is_number_integer()) return out.add(at, mismatch("an integer", in));
    bool fits = in.is_number_unsigned() ? std::in_range<T>(in.get<std::uint64_t>()) : std::in_range<T>(in.get<std::int64_t>());
    if (!fits)
      return out.add(at, "expected an integer from " + std::to_string(limits::min()) + " to " + std::to_string(limits::max()));
    value = in.is_number_unsigned() ? static_cast<T>(in.get<std::uint64_t>()) : static_cast<T>(in.get<std::int64_t>());
  }
}

template <has_fields T>
void read_fields(const nlohmann::json& in, T& value, const place& at, problems& out) {
  if (!in.is_object()) return out.add(at, mismatch("an object", in));
  std::vector<std::string_view> known;
  known.reserve(field_count<T>);
  poseidon_visit_fields(value, [&](std::string_view name, auto& member) {
    known.push_back(name);
    if (auto found = in.find(name); found != in.end()) read(*found, member, place{&at, name, 0}, out);
  });
  refuse_unknown(in, known, at, out);
}

template <class T>
void read_sequence(const nlohmann::json& in, T& value, const place& at, problems& out) {
  if (!in.is_array()) return out.add(at, mismatch("an array", in));
  value.clear();
  for (std::size_t i = 0; i < in.size(); ++i) {
    typename T::value_type item{};
    read(in[i], item, place{&at, {}, i}, out);
    value.insert(value.end(), std::move(item));
  }
}

template <class T>
void read_map(const nlohmann::json& in, T& value, const place& at, problems& out) {
  if (!in.is_object()) return out.add(at, mismatch("an object", in));
  value.clear();
  for (auto& [name, item] : in.items()) {
    typename T::key_type key{};
    place here{&at, name, 0};
    if (!text_to(name, key)) out.add(here, "expected " + text_name<typename T::key_type>());
    else read(item, value[key], here, out);
  }
}

template <class... T>
void read_variant(const nlohmann::json& in, std::variant<T...>& value, const place& at, problems& out) {
  if (!in.is_object()) return out.add(at, mismatch("an object", in));
  refuse_unknown(in, {"kind", "payload"}, at, out);
  auto kind = in.find("kind");
  if (kind == in.end() || !kind->is_string()) return out.add(place{&at, "kind", 0}, "expected a string");
  auto payload = in.find("payload");
  if (payload == in.end()) return out.add(place{&at, "payload", 0}, "expected an object");
  auto attempt = [&]<class A>(A* /*type*/) {
    if (kind->get_ref<const std::string&>() != A::kind) return false;
    read(*payload, value.template emplace<A>(), place{&at, "payload", 0}, out);
    return true;
  };
  if (!(attempt(static_cast<T*>(nullptr)) || ...)) out.add(place{&at, "kind", 0}, "unknown kind");
}

/// Bytes as base64.
void read_bytes(const nlohmann::json& in, std::string& bytes, const place& at, problems& out);

template <class T>
void read(const nlohmann::json& in, T& value, const place& at, problems& out) {
  if constexpr (has_text<T>) read_text(in, value, at, out);
  else if constexpr (std::is_same_v<T, bool>) {
    if (in.is_boolean()) value = in.get<bool>();
    else out.add(at, mismatch("true or false", in));
  } else if constexpr (std::is_arithmetic_v<T>) read_number(in, value, at, out);
  else if constexpr (std::is_same_v<T, boot_time>) read_number(in, value.ms, at, out);
  else if constexpr (std::is_same_v<T, secret>) {
    if (in.is_string()) value = secret{in.get<std::string>()};
    else out.add(at, mismatch("a string", in));
  } else if constexpr (std::is_same_v<T, sealed_secret> || std::is_same_v<T, blob>) read_bytes(in, value.bytes, at, out);
  else if constexpr (std::is_same_v<T, nlohmann::json>) value = in;
  else if constexpr (is_optional<T>) {
    if (in.is_null()) value.reset();
    else read(in, value.emplace(), at, out);
  } else if constexpr (is_shared<T>) {
    value.reset();
    if (in.is_null()) return;
    auto made = std::make_shared<std::remove_const_t<typename T::element_type>>();
    read(in, *made, at, out);
    value = std::move(made);
  } else if constexpr (is_sequence<T>) read_sequence(in, value, at, out);
  else if constexpr (is_map<T>) read_map(in, value, at, out);
  else if constexpr (is_variant<T>) read_variant(in, value, at, out);
  else if constexpr (std::is_same_v<T, slot>) {
    if (!in.is_object()) return out.add(at, mismatch("an object", in));
    refuse_unknown(in, {"owner", "challenge"}, at, out);
    if (in.contains("owner")) read(in["owner"], value.owner, place{&at, "owner", 0}, out);
    if (in.contains("challenge")) read(in["challenge"], value.challenge, place{&at, "challenge", 0}, out);
  } else read_fields(in, value, at, out);
}

} // namespace json_detail

template <class T>
nlohmann::json to_json(const T& value) {
  using nlohmann::json;
  if constexpr (has_text<T>) return text_of(value);
  else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, json>) return value;
  else if constexpr (std::is_same_v<T, boot_time>) return value.ms;
  else if constexpr (std::is_same_v<T, secret>) return value.empty() ? "" : "***";
  else if constexpr (std::is_same_v<T, sealed_secret> || std::is_same_v<T, blob>) return to_base64(value.bytes);
  else if constexpr (is_optional<T> || is_shared<T>) return value ? to_json(*value) : json(nullptr);
  else if constexpr (is_sequence<T>) {
    auto list = json::array();
    for (auto& item : value) list.push_back(to_json(item));
    return list;
  } else if constexpr (is_map<T>) {
    auto object = json::object();
    for (auto& [key, item] : value) object[text_of(key)] = to_json(item);
    return object;
  } else if constexpr (is_variant<T>) {
    return std::visit([](auto& body) { return json{{"kind", std::string(body.kind)}, {"payload", to_json(body)}}; }, value);
  } else if constexpr (std::is_same_v<T, slot>) {
    return json{{"owner", value.owner.value}, {"challenge", value.challenge}};
  } else {
    auto object = json::object();
    poseidon_visit_fields(value, [&](std::string_view name, auto& member) { object[std::string(name)] = to_json(member); });
    return object;
  }
}

/// Reads a value strictly: an unknown key, a wrong type, a number out of range is a problem with its path, and all are
/// told at once (invalid_field). A key that is absent leaves the member at its default. `root` begins every path.
template <class T>
outcome<T> from_json(const nlohmann::json& in, std::string_view root = {}) {
  T value{};
  json_detail::problems out;
  json_detail::read(in, value, json_detail::place{nullptr, root, 0}, out);
  if (out.list.empty()) return value;
  return failure{errc::invalid_field, "the input has invalid fields", std::nullopt, std::move(out.list), {}};
}

} // namespace poseidon
