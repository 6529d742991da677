#pragma once
// Two clocks that can't be mixed up. Deadlines count on the boot clock (runs on during suspend, never jumps);
// wall time is for display, for the journal and for the API.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace poseidon {

/// A span of time; whole milliseconds everywhere, spelt `_ms` in JSON.
using millis = std::chrono::milliseconds;

template <class Clock>
struct instant {
  std::int64_t ms = 0; ///< milliseconds since the clock's epoch
  friend auto operator<=>(const instant&, const instant&) = default;
  friend instant operator+(instant t, millis d) { return {t.ms + d.count()}; }
  friend instant operator-(instant t, millis d) { return {t.ms - d.count()}; }
  friend millis operator-(instant a, instant b) { return millis{a.ms - b.ms}; }
};

/// Milliseconds since the machine booted (CLOCK_BOOTTIME); meaningful only with the boot id of that machine.
using boot_time = instant<struct boot_clock_tag>;
/// Milliseconds since 1970-01-01T00:00:00Z.
using wall_time = instant<struct wall_clock_tag>;

/// RFC 3339 in UTC with milliseconds and `Z`: 2026-01-31T12:00:00.250Z.
std::string to_rfc3339(wall_time t);
/// Reads RFC 3339 (any offset); nothing when malformed.
std::optional<wall_time> from_rfc3339(std::string_view text);

/// The port through which effects learn the time; pure code takes time as an argument instead. Thread-safe.
class clock {
public:
  virtual ~clock() = default;
  virtual boot_time boot_now() const = 0;
  virtual wall_time wall_now() const = 0;
};

} // namespace poseidon
