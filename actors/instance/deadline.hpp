#pragma once
// When an instance ends, and how its processes are ended then. Pure; never early.

#include "messages/journal.hpp"

namespace poseidon {

/// KILL comes at most this long after the deadline, whatever grace a challenge asks for.
inline constexpr millis kill_after_deadline{900};

/// The deadline `due` on this boot's clock, in a form that survives process and machine.
durable_deadline make_deadline(const std::string& boot_id, boot_time now, wall_time wall_now, boot_time due);

/// The deadline on the boot clock of `boot_id`: as written when it was written in this boot, else by wall time.
boot_time reckon(const durable_deadline& deadline, const std::string& boot_id, boot_time now, wall_time wall_now);

/// How long processes get between TERM and KILL.
struct end_plan {
  millis grace{0};
  friend bool operator==(const end_plan&, const end_plan&) = default;
};

/// At the deadline (or late, after it): TERM at once, KILL at most `kill_after_deadline` after it. A challenge's own
/// grace counts when it is shorter.
end_plan plan_expiry(const instance_spec& spec, boot_time deadline, boot_time now);

/// A stop that somebody asked for honours the challenge's grace, but never outlives the deadline.
end_plan plan_stop(const instance_spec& spec, std::optional<boot_time> deadline, boot_time now);

/// The longest grace among the services.
millis stop_grace(const instance_spec& spec);

} // namespace poseidon
