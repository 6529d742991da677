#pragma once
// Writes JSON text straight into a string: replies are rendered often, and read by nobody else.

#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace poseidon::gateway {

/// Appends JSON to a string it does not own. Commas are its own affair; the caller balances begin and end. What is not
/// UTF-8 in a text is replaced (U+FFFD), so the output is always valid.
class json_writer {
public:
  explicit json_writer(std::string& out) : out_(out) {}

  json_writer& begin_object() { return open('{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array() { return open('['); }
  json_writer& end_array() { return close(']'); }
  json_writer& key(std::string_view name);

  json_writer& text(std::string_view value);
  json_writer& number(std::int64_t value);
  json_writer& number(std::uint64_t value);
  json_writer& boolean(bool value);
  json_writer& null();
  /// JSON text made elsewhere, as it is.
  json_writer& raw(std::string_view json);

  // name and value at once
  json_writer& text(std::string_view name, std::string_view value) { return key(name).text(value); }
  /// Null when empty.
  json_writer& text_or_null(std::string_view name, std::string_view value);
  json_writer& optional_text(std::string_view name, const std::optional<std::string>& value);
  template <class Integer>
    requires std::is_integral_v<Integer>
  json_writer& number(std::string_view name, Integer value) {
    using wide = std::conditional_t<std::is_signed_v<Integer>, std::int64_t, std::uint64_t>;
    return key(name).number(static_cast<wide>(value));
  }
  json_writer& number_or_null(std::string_view name, std::optional<std::int64_t> value);
  json_writer& boolean(std::string_view name, bool value) { return key(name).boolean(value); }
  json_writer& null(std::string_view name) { return key(name).null(); }
  json_writer& raw(std::string_view name, std::string_view json) { return key(name).raw(json); }
  json_writer& time(std::string_view name, wall_time value);
  json_writer& time_or_null(std::string_view name, std::optional<wall_time> value);

private:
  json_writer& open(char c);
  json_writer& close(char c);
  void separate();
  std::string& out_;
  bool comma_ = false;
};

} // namespace poseidon::gateway
