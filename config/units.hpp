#pragma once
// How people write quantities: "30m", "512MiB", "50%", "0.25". Pure; used by settings and challenges alike.

#include "messages/time.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace poseidon::config {

/// A size; the unit is in the type.
struct byte_size {
  std::uint64_t bytes = 0;
  friend auto operator<=>(const byte_size&, const byte_size&) = default;
};
/// A share of a hundred.
struct percent {
  std::uint32_t value = 0;
  friend auto operator<=>(const percent&, const percent&) = default;
};
/// Processor cores in thousandths.
struct cpu_count {
  std::uint32_t millis = 0;
  friend auto operator<=>(const cpu_count&, const cpu_count&) = default;
};

/// A value, or what is wrong with the text it was read from and what would be right.
template <class T> struct parsed {
  std::optional<T> value;
  std::string problem;
  explicit operator bool() const { return value.has_value(); }
};

/// "90s", "500ms", "1h30m", "2d"; units d, h, m, s, ms in falling order, whole numbers; "0" alone needs no unit.
parsed<millis> parse_duration(std::string_view text);
/// "512m", "512MiB", "1.5g", "4096"; every unit is binary (as Docker reads them), none means bytes. Any case.
parsed<byte_size> parse_size(std::string_view text);
/// "50%", whole numbers.
parsed<percent> parse_percent(std::string_view text);
/// "0.25", "2"; at most three decimals.
parsed<cpu_count> parse_cpus(std::string_view text);
/// A whole number without sign, at most 18 digits.
parsed<std::uint64_t> parse_count(std::string_view text);
/// true, false, yes, no, on, off, 1, 0.
parsed<bool> parse_bool(std::string_view text);

/// The shortest spelling that parse_duration reads back: "1h30m".
std::string to_text(millis value);
/// The shortest exact spelling that parse_size reads back: "512MiB".
std::string to_text(byte_size value);
std::string to_text(percent value);
std::string to_text(cpu_count value);

} // namespace poseidon::config
