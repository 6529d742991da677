#pragma once
// Text for people: tables, local times, spans. Pure but for the machine's time zone.

#include "messages/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace poseidon::cli {

/// Rows under a heading, columns as wide as they need, two blanks between; no blanks at the ends of lines.
std::string table(const std::vector<std::string>& heading, const std::vector<std::vector<std::string>>& rows);
/// "name  value" lines, values aligned; pairs without a value are left out.
std::string pairs(const std::vector<std::pair<std::string, std::string>>& values);

/// Columns that a text takes, as far as UTF-8 tells; control characters are none.
std::size_t width_of(std::string_view text);
/// A stranger's text made safe for a terminal: control characters become "?".
std::string printable(std::string_view text);

/// "in 12 min", "3 h ago", "now".
std::string relative(wall_time at, wall_time now);
/// "14:32:10" today, "2026-01-31 14:32" otherwise; the machine's own time zone.
std::string local_time(wall_time at, wall_time now);
/// An RFC 3339 text as "14:32:10 (in 12 min)"; empty stays empty.
std::string when(std::string_view rfc3339, wall_time now);
/// "12 min", "1 h 30 min", "45 s".
std::string span(std::int64_t ms);
/// "64 MiB"
std::string bytes(std::uint64_t value);

} // namespace poseidon::cli
