#include "config/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace poseidon::config {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<unit, 5> duration_units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<unit, 14> size_units{{{"", 1},
                                           {"b", 1},
                                           {"k", 1ull << 10},
                                           {"kb", 1ull << 10},
                                           {"kib", 1ull << 10},
                                           {"m", 1ull << 20},
                                           {"mb", 1ull << 20},
                                           {"mib", 1ull << 20},
                                           {"g", 1ull << 30},
                                           {"gb", 1ull << 30},
                                           {"gib", 1ull << 30},
                                           {"t", 1ull << 40},
                                           {"tb", 1ull << 40},
                                           {"tib", 1ull << 40}}};
constexpr std::uint64_t longest_duration_ms = 3650ull * 86'400'000;
constexpr std::uint64_t largest_size_bytes = 1ull << 60;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text.substr(0, 64)) + "\""; }

/// Takes the leading digits off `text`; nothing when there are none or too many.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits]))
    ++digits;
  if (digits == 0 || digits > 18) return std::nullopt;
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + digits, value);
  text.remove_prefix(digits);
  return value;
}

/// A decimal number in thousandths; nothing when malformed or finer than that.
std::optional<std::uint64_t> thousandths(std::string_view text) {
  auto whole = take_number(text);
  if (!whole || *whole > std::numeric_limits<std::uint64_t>::max() / 2000) return std::nullopt;
  std::uint64_t value = *whole * 1000;
  if (text.empty()) return value;
  if (text.front() != '.' || text.size() < 2) return std::nullopt;
  std::uint64_t scale = 100;
  for (char c : text.substr(1)) {
    if (!is_digit(c) || (scale == 0 && c != '0')) return std::nullopt;
    value += static_cast<std::uint64_t>(c - '0') * scale;
    scale /= 10;
  }
  return value;
}

} // namespace

parsed<millis> parse_duration(std::string_view text) {
  auto wrong = [&](std::string_view why) {
    return parsed<millis>{std::nullopt, quoted(text) + " is not a duration: " + std::string(why)};
  };
  if (text == "0") return {millis{0}, {}};
  if (text.empty()) return wrong("write it like 30m, 90s, 500ms or 1h30m");
  std::string_view rest = text;
  std::uint64_t total = 0;
  std::size_t next_unit = 0;
  while (!rest.empty()) {
    auto number = take_number(rest);
    if (!number) return wrong("write whole numbers with units, like 30m, 90s, 500ms or 1h30m");
    std::size_t letters = 0;
    while (letters < rest.size() && !is_digit(rest[letters]))
      ++letters;
    auto name = rest.substr(0, letters);
    rest.remove_prefix(letters);
    if (name.empty()) return wrong("say the unit (ms, s, m, h or d), like " + std::to_string(*number) + "s");
    auto found = std::ranges::find(duration_units, name, &unit::name);
    if (found == duration_units.end()) return wrong("units are ms, s, m, h and d");
    auto index = static_cast<std::size_t>(found - duration_units.begin());
    if (index < next_unit) return wrong("units go from large to small, each once");
    next_unit = index + 1;
    if (*number > longest_duration_ms / found->factor) return wrong("it is longer than ten years");
    total += *number * found->factor;
  }
  if (total > longest_duration_ms) return wrong("it is longer than ten years");
  return {millis{static_cast<std::int64_t>(total)}, {}};
}

parsed<byte_size> parse_size(std::string_view text) {
  std::size_t split = 0;
  while (split < text.size() && (is_digit(text[split]) || text[split] == '.'))
    ++split;
  auto number = thousandths(text.substr(0, split));
  auto name = lower(text.substr(split));
  auto found = std::ranges::find(size_units, name, &unit::name);
  if (!number || found == size_units.end())
    return {std::nullopt, quoted(text) + " is not a size: write it like 512m, 512MiB, 1.5g or 4096 (bytes)"};
  if (*number / 1000 > largest_size_bytes / found->factor) return {std::nullopt, quoted(text) + " is too large"};
  // Split so that neither product can overflow.
  auto bytes = *number / 1000 * found->factor + *number % 1000 * found->factor / 1000;
  return {byte_size{bytes}, {}};
}

parsed<percent> parse_percent(std::string_view text) {
  auto rest = text;
  auto number = take_number(rest);
  if (!number || rest != "%" || *number > 1000)
    return {std::nullopt, quoted(text) + " is not a percentage: write it like 50%"};
  return {percent{static_cast<std::uint32_t>(*number)}, {}};
}

parsed<cpu_count> parse_cpus(std::string_view text) {
  auto number = thousandths(text);
  if (!number || *number > 100'000'000)
    return {std::nullopt, quoted(text) + " is not a number of cores: write it like 0.25 or 2 (at most three decimals)"};
  return {cpu_count{static_cast<std::uint32_t>(*number)}, {}};
}

parsed<std::uint64_t> parse_count(std::string_view text) {
  auto rest = text;
  auto number = take_number(rest);
  if (!number || !rest.empty()) return {std::nullopt, quoted(text) + " is not a whole number of 0 or more"};
  return {*number, {}};
}

parsed<bool> parse_bool(std::string_view text) {
  auto word = lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return {true, {}};
  if (word == "false" || word == "no" || word == "off" || word == "0") return {false, {}};
  return {std::nullopt, quoted(text) + " is neither true nor false"};
}

std::string to_text(millis value) {
  auto left = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0));
  if (left == 0) return "0";
  std::string out;
  for (auto& u : duration_units) {
    if (left < u.factor) continue;
    out += std::to_string(left / u.factor) + std::string(u.name);
    left %= u.factor;
  }
  return out;
}

std::string to_text(byte_size value) {
  constexpr std::array<unit, 4> shown{
      {{"TiB", 1ull << 40}, {"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}}};
  if (value.bytes == 0) return "0";
  for (auto& u : shown)
    if (value.bytes % u.factor == 0) return std::to_string(value.bytes / u.factor) + std::string(u.name);
  return std::to_string(value.bytes);
}

std::string to_text(percent value) { return std::to_string(value.value) + "%"; }

std::string to_text(cpu_count value) {
  auto out = std::to_string(value.millis / 1000);
  if (auto part = value.millis % 1000) {
    auto decimals = std::to_string(1000 + part).substr(1);
    decimals.erase(decimals.find_last_not_of('0') + 1);
    out += "." + decimals;
  }
  return out;
}

} // namespace poseidon::config
