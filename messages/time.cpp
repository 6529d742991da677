#include "messages/time.hpp"

#include <algorithm>
#include <cstdio>

namespace poseidon {
namespace {

using namespace std::chrono;

// What four digits of year can say.
constexpr std::int64_t first_ms = sys_time<milliseconds>{sys_days{year{0} / 1 / 1}}.time_since_epoch().count();
constexpr std::int64_t last_ms = sys_time<milliseconds>{sys_days{year{9999} / 12 / 31}}.time_since_epoch().count() + 86'399'999;

/// Reads RFC 3339 piece by piece; every step answers false once one has failed.
class reader {
public:
  explicit reader(std::string_view text) : rest_(text) {}

  bool number(std::size_t digits, int& value) {
    if (rest_.size() < digits) return false;
    value = 0;
    for (char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return false;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return true;
  }

  /// One of these characters; `got` says which.
  bool one_of(std::string_view allowed, char& got) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) return false;
    got = rest_.front();
    rest_.remove_prefix(1);
    return true;
  }

  bool literal(char c) {
    char got;
    return one_of(std::string_view(&c, 1), got);
  }

  /// An optional fraction of a second, cut to milliseconds.
  bool fraction(int& ms) {
    ms = 0;
    if (!literal('.')) return true;
    int digits = 0;
    char c;
    for (int scale = 100; one_of("0123456789", c); scale /= 10, ++digits) ms += (c - '0') * scale;
    return digits > 0;
  }

  bool offset(int& minutes) {
    char sign;
    int h, m;
    minutes = 0;
    if (!one_of("Zz+-", sign)) return false;
    if (sign == 'Z' || sign == 'z') return true;
    if (!number(2, h) || !literal(':') || !number(2, m) || h > 23 || m > 59) return false;
    minutes = (h * 60 + m) * (sign == '-' ? -1 : 1);
    return true;
  }

  bool at_end() const { return rest_.empty(); }

private:
  std::string_view rest_;
};

} // namespace

std::string to_rfc3339(wall_time t) {
  sys_time<milliseconds> when{milliseconds{std::clamp(t.ms, first_ms, last_ms)}};
  auto day = floor<days>(when);
  year_month_day date{day};
  hh_mm_ss time{when - day};
  char text[64];
  int size = std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                           static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                           static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return std::string(text, static_cast<std::size_t>(size));
}

std::optional<wall_time> from_rfc3339(std::string_view text) {
  reader in(text);
  int y, mo, d, h, mi, s, ms, offset;
  char separator;
  bool read = in.number(4, y) && in.literal('-') && in.number(2, mo) && in.literal('-') && in.number(2, d) &&
              in.one_of("Tt ", separator) && in.number(2, h) && in.literal(':') && in.number(2, mi) && in.literal(':') &&
              in.number(2, s) && in.fraction(ms) && in.offset(offset) && in.at_end();
  if (!read || h > 23 || mi > 59 || s > 60) return std::nullopt;
  year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
  if (!date.ok()) return std::nullopt;
  auto when = sys_days{date}.time_since_epoch() + hours{h} + minutes{mi - offset} + seconds{s} + milliseconds{ms};
  return wall_time{duration_cast<milliseconds>(when).count()};
}

} // namespace poseidon
