#include "actors/kit/restart_policy.hpp"

#include <algorithm>

namespace poseidon {
namespace {

bool within(const restart_rule& rule, boot_time then, boot_time now) { return now - then < rule.window; }

} // namespace

restart_decision decide_restart(const restart_rule& rule, const std::vector<boot_time>& recent, boot_time now) {
  const auto count = std::count_if(recent.begin(), recent.end(), [&](boot_time t) { return within(rule, t, now); });
  if (static_cast<std::uint64_t>(count) >= rule.most) return {};
  auto delay = rule.first_delay;
  for (std::int64_t i = 0; i < count && delay < rule.longest_delay; ++i) delay *= 2;
  return {true, std::min(delay, rule.longest_delay)};
}

void note_restart(const restart_rule& rule, std::vector<boot_time>& recent, boot_time now) {
  std::erase_if(recent, [&](boot_time t) { return !within(rule, t, now); });
  recent.push_back(now);
}

} // namespace poseidon
