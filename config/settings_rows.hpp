#pragma once
// How a row is made from a member of `settings`: the member's type decides how its value is read and shown.

#include "config/settings_table.hpp"

namespace poseidon::config {

/// Reads and shows one value of type T.
template <class T> struct value_of;

template <> struct value_of<millis> {
  static constexpr std::string_view type = "duration";
  static parsed<millis> parse(const std::string& text) { return parse_duration(text); }
  static std::string text(millis v) { return to_text(v); }
};
template <> struct value_of<byte_size> {
  static constexpr std::string_view type = "size";
  static parsed<byte_size> parse(const std::string& text) { return parse_size(text); }
  static std::string text(byte_size v) { return to_text(v); }
};
template <> struct value_of<percent> {
  static constexpr std::string_view type = "percentage";
  static parsed<percent> parse(const std::string& text) { return parse_percent(text); }
  static std::string text(percent v) { return to_text(v); }
};
template <> struct value_of<cpu_count> {
  static constexpr std::string_view type = "cores";
  static parsed<cpu_count> parse(const std::string& text) { return parse_cpus(text); }
  static std::string text(cpu_count v) { return to_text(v); }
};
template <> struct value_of<std::uint32_t> {
  static constexpr std::string_view type = "number";
  static parsed<std::uint32_t> parse(const std::string& text) {
    auto n = parse_count(text);
    if (!n) return {std::nullopt, n.problem};
    if (*n.value > 4'000'000'000u) return {std::nullopt, "\"" + text + "\" is too large"};
    return {static_cast<std::uint32_t>(*n.value), {}};
  }
  static std::string text(std::uint32_t v) { return std::to_string(v); }
};
template <> struct value_of<bool> {
  static constexpr std::string_view type = "true or false";
  static parsed<bool> parse(const std::string& text) { return parse_bool(text); }
  static std::string text(bool v) { return v ? "true" : "false"; }
};
template <> struct value_of<std::string> {
  static constexpr std::string_view type = "text";
  static parsed<std::string> parse(const std::string& text) { return {text, {}}; }
  static std::string text(const std::string& v) { return v; }
};
template <> struct value_of<secret> {
  static constexpr std::string_view type = "text";
  static parsed<secret> parse(const std::string& text) { return {secret(text), {}}; }
  static std::string text(const secret& v) { return v.empty() ? "" : "***"; }
};
template <> struct value_of<listen_address> {
  static constexpr std::string_view type = "address";
  static parsed<listen_address> parse(const std::string& text) { return parse_listen_address(text); }
  static std::string text(const listen_address& v) { return to_text(v); }
};
template <named_enum E> struct value_of<E> {
  static constexpr std::string_view type = "word";
  static parsed<E> parse(const std::string& text) {
    if (auto v = enum_from_string<E>(text)) return {v, {}};
    return {std::nullopt, "\"" + text + "\" is none of " + choices()};
  }
  static std::string text(E v) { return std::string(to_string(v)); }
  static std::string choices() {
    std::string out;
    for (auto v : poseidon_enum_values(E{}))
      out += (out.empty() ? "" : ", ") + text(v);
    return out;
  }
};

// Rules for texts; the result is the problem.
std::optional<std::string> check_data(const std::string& dir);
/// Names that go into labels, container names and host names.
std::optional<std::string> check_name(const std::string& name);
/// "NAME=VALUE", each part as label names are.
std::optional<std::string> check_label(const std::string& label);
/// True for what names a node's label, and for its value: 1 to 63 letters, digits, dots, dashes, underscores and slashes.
bool is_label_part(std::string_view text);
/// Engines are reached through a Unix socket on this machine only.
std::optional<std::string> check_engine(const std::string& address);
std::optional<std::string> check_domain(const std::string& domain);
std::optional<std::string> check_relay(const std::string& address);
/// "https://host[:port]" with nothing after it, or empty.
std::optional<std::string> check_origin(const std::string& url);
/// An origin, or "*".
std::optional<std::string> check_cors(const std::string& origin);
/// An origin whose host begins with "{label}.", or empty.
std::optional<std::string> check_public_url(const std::string& url);
/// "nats://host[:port]" or "tls://host[:port]".
std::optional<std::string> check_nats_url(const std::string& url);

/// What a row says beside its member.
template <class T> struct about {
  std::string_view help;
  std::optional<T> min = {}, max = {};
  bool live = false;
  std::string_view flag = {}, placeholder = {};
  std::optional<std::string> (*check)(const T&) = nullptr; ///< a further rule; its text is the problem
};

template <class T> std::string range_text(const about<T>& a) {
  if constexpr (named_enum<T>) {
    return value_of<T>::choices();
  } else if constexpr (requires(T x) { x <= x; } && !std::is_same_v<T, std::string>) {
    if (a.min && a.max) return value_of<T>::text(*a.min) + " to " + value_of<T>::text(*a.max);
  }
  return {};
}

template <class T> std::optional<std::string> out_of_range(const about<T>& a, const T& value) {
  if constexpr (requires(T x) { x <= x; }) {
    if ((a.min && value < *a.min) || (a.max && *a.max < value))
      return value_of<T>::text(value) + " is out of range: " + range_text(a);
  }
  return a.check ? a.check(value) : std::nullopt;
}

/// A row for one value.
template <class T, class Member> setting_row make_row(std::string_view name, Member member, about<T> a) {
  setting_row row{name,
                  value_of<T>::type,
                  range_text(a),
                  a.flag,
                  a.placeholder,
                  a.help,
                  a.live,
                  std::is_same_v<T, secret>,
                  false,
                  false,
                  {},
                  {},
                  {}};
  row.text = [member](const settings& s) { return value_of<T>::text(member(const_cast<settings&>(s))); };
  row.set = [member, a](settings& s, const raw_value& raw) -> std::optional<std::string> {
    auto* text = std::get_if<std::string>(&raw);
    if (!text) return "takes one value, not a list";
    auto value = value_of<T>::parse(*text);
    if (!value) return value.problem;
    if (auto problem = out_of_range(a, *value.value)) return problem;
    member(s) = std::move(*value.value);
    return std::nullopt;
  };
  return row;
}

/// "a,b" as a list; blanks around items are dropped, an empty text is an empty list.
std::vector<std::string> split_list(std::string_view text);

/// A row for a list; `a` is about each item.
template <class T, class Member> setting_row make_list_row(std::string_view name, Member member, about<T> a) {
  setting_row row{name, value_of<T>::type, range_text(a), a.flag, a.placeholder, a.help, a.live, false, true, false, {}, {}, {}};
  row.items = [member](const settings& s) {
    std::vector<std::string> out;
    for (auto& item : member(const_cast<settings&>(s)))
      out.push_back(value_of<T>::text(item));
    return out;
  };
  row.text = [items = row.items](const settings& s) {
    std::string out;
    for (auto& item : items(s))
      out += (out.empty() ? "" : ",") + item;
    return out;
  };
  row.set = [member, a](settings& s, const raw_value& raw) -> std::optional<std::string> {
    auto* text = std::get_if<std::string>(&raw);
    std::vector<T> out;
    for (auto& item : text ? split_list(*text) : std::get<std::vector<std::string>>(raw)) {
      if (item.empty()) continue; // an empty list, in an environment variable or a flag
      auto value = value_of<T>::parse(item);
      if (!value) return value.problem;
      if (auto problem = out_of_range(a, *value.value)) return problem;
      out.push_back(std::move(*value.value));
    }
    member(s) = std::move(out);
    return std::nullopt;
  };
  return row;
}

} // namespace poseidon::config
