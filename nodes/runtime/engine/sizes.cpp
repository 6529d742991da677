#include "nodes/runtime/engine/sizes.hpp"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace poseidon::engine {

std::optional<std::uint64_t> parse_size(std::string_view text) {
  double value = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || !(value >= 0)) return std::nullopt;
  std::string unit;
  for (auto c : std::string_view(rest, std::size_t(text.data() + text.size() - rest)))
    if (c != ' ') unit += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  int power = 0;
  if (!unit.empty() && unit != "b") {
    power = static_cast<int>(std::string_view("kmgtp").find(unit[0])) + 1;
    auto suffix = unit.substr(1);
    if (power == 0 || (!suffix.empty() && suffix != "b" && suffix != "ib")) return std::nullopt;
  }
  value = std::round(std::ldexp(value, 10 * power));
  if (value >= 9e18) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

std::string format_size(std::uint64_t bytes) {
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit < 6; ++unit)
    value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, value == std::floor(value) ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

} // namespace poseidon::engine
