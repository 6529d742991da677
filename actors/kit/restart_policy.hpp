#pragma once
// When something that ended may be started again: back-off, and a limit on how often. Pure.

#include "messages/time.hpp"

#include <cstdint>
#include <vector>

namespace poseidon {

/// At most `most` restarts within `window`; each waits longer than the one before.
struct restart_rule {
  std::uint32_t most = 3;
  millis window{300'000};
  millis first_delay{100};     ///< doubled with each restart within the window
  millis longest_delay{5'000};
  friend bool operator==(const restart_rule&, const restart_rule&) = default;
};

struct restart_decision {
  bool allowed = false;
  millis delay{0}; ///< before it starts again
  friend bool operator==(const restart_decision&, const restart_decision&) = default;
};

/// Judges one more restart at `now`; `recent` holds the earlier ones, oldest first.
restart_decision decide_restart(const restart_rule& rule, const std::vector<boot_time>& recent, boot_time now);

/// Drops what has left the window, appends `now`.
void note_restart(const restart_rule& rule, std::vector<boot_time>& recent, boot_time now);

} // namespace poseidon
