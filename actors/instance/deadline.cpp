#include "actors/instance/deadline.hpp"

#include <algorithm>

namespace poseidon {

durable_deadline make_deadline(const std::string& boot_id, boot_time now, wall_time wall_now, boot_time due) {
  return {boot_id, due, wall_now + (due - now)};
}

boot_time reckon(const durable_deadline& deadline, const std::string& boot_id, boot_time now, wall_time wall_now) {
  if (deadline.boot_id == boot_id) return deadline.boot;
  return now + (deadline.wall - wall_now);
}

millis stop_grace(const instance_spec& spec) {
  std::int64_t longest = 0;
  for (auto& service : spec.services) longest = std::max(longest, service.stop_grace_ms);
  return millis{longest};
}

end_plan plan_expiry(const instance_spec& spec, boot_time deadline, boot_time now) {
  const auto own = stop_grace(spec);
  const auto left = std::clamp(kill_after_deadline - (now - deadline), millis{0}, kill_after_deadline);
  return {own > millis{0} ? std::min(own, left) : left};
}

end_plan plan_stop(const instance_spec& spec, std::optional<boot_time> deadline, boot_time now) {
  const auto own = stop_grace(spec);
  if (!deadline) return {own};
  return {std::clamp(kill_after_deadline + (*deadline - now), millis{0}, own)};
}

} // namespace poseidon
