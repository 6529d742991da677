#include "nodes/cli/tables.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace poseidon::cli {

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

std::string table(const std::vector<std::string>& heading, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (auto& name : heading)
    widths.push_back(width_of(name));
  for (auto& row : rows)
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      auto cell = printable(cells[i]);
      out += cell + std::string(i < widths.size() ? widths[i] - std::min(widths[i], width_of(cell)) + 2 : 2, ' ');
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  };
  std::string out = line(heading);
  for (auto& row : rows)
    out += line(row);
  return out;
}

std::string pairs(const std::vector<std::pair<std::string, std::string>>& values) {
  std::size_t width = 0;
  for (auto& [name, value] : values)
    if (!value.empty()) width = std::max(width, width_of(name));
  std::string out;
  for (auto& [name, value] : values)
    if (!value.empty()) out += name + std::string(width - width_of(name) + 2, ' ') + printable(value) + "\n";
  return out;
}

std::string span(std::int64_t ms) {
  auto seconds = (ms < 0 ? -ms : ms) / 1000;
  if (seconds < 60) return std::to_string(seconds) + " s";
  auto minutes = seconds / 60;
  if (minutes < 60) return std::to_string(minutes) + " min";
  auto two = [](std::int64_t large, const char* large_unit, std::int64_t small, const char* small_unit) {
    return std::to_string(large) + large_unit + (small ? " " + std::to_string(small) + small_unit : "");
  };
  if (minutes < 24 * 60) return two(minutes / 60, " h", minutes % 60, " min");
  return two(minutes / 1440, " d", minutes / 60 % 24, " h");
}

std::string relative(wall_time at, wall_time now) {
  auto ms = (at - now).count();
  if (ms > -1000 && ms < 1000) return "now";
  return ms > 0 ? "in " + span(ms) : span(ms) + " ago";
}

std::string local_time(wall_time at, wall_time now) {
  auto parts = [](wall_time t) {
    std::time_t seconds = t.ms / 1000;
    std::tm out{};
    ::localtime_r(&seconds, &out);
    return out;
  };
  auto then = parts(at), today = parts(now);
  bool same_day = then.tm_year == today.tm_year && then.tm_yday == today.tm_yday;
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M", &then);
  return text.data();
}

std::string when(std::string_view rfc3339, wall_time now) {
  if (rfc3339.empty()) return {};
  auto at = from_rfc3339(rfc3339);
  return at ? local_time(*at, now) + " (" + relative(*at, now) + ")" : printable(rfc3339);
}

std::string bytes(std::uint64_t value) {
  constexpr std::pair<const char*, std::uint64_t> units[] = {
      {" TiB", 1ull << 40}, {" GiB", 1ull << 30}, {" MiB", 1ull << 20}, {" KiB", 1ull << 10}};
  for (auto& [name, factor] : units) {
    if (value < factor) continue;
    auto tenths = value / (factor / 10);
    return std::to_string(tenths / 10) + (tenths % 10 && tenths < 100 ? "." + std::to_string(tenths % 10) : "") + name;
  }
  return std::to_string(value) + " B";
}

} // namespace poseidon::cli
