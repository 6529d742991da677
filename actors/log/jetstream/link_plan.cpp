#include "actors/log/jetstream/link_plan.hpp"

#include <algorithm>

namespace poseidon {

millis back_off(const link_limits& limits, std::uint32_t failed, std::uint64_t random) {
  const std::int64_t whole = std::min(limits.longest_wait.count(), limits.first_wait.count() << std::min(failed, 16u));
  const auto spread = static_cast<std::uint64_t>(whole - whole / 2 + 1);
  return millis{whole / 2 + static_cast<std::int64_t>(random % spread)};
}

link_plan::step link_plan::next(boot_time now) {
  if (state_ == state::opening || now < due_) return step::nothing;
  if (state_ == state::open) {
    due_ = now + limits_.check_every;
    return step::check;
  }
  state_ = state::opening;
  ++link_;
  return step::open;
}

void link_plan::opened(boot_time now, std::string leader) {
  state_ = state::open;
  attempts_ = failed_ = 0;
  behind_ = false;
  leader_ = std::move(leader);
  due_ = now + limits_.check_every;
}

void link_plan::closed(boot_time now, std::uint64_t random) {
  state_ = state::waiting;
  due_ = now + back_off(limits_, attempts_++, random);
}

void link_plan::reopen(boot_time now) {
  state_ = state::waiting;
  due_ = now;
}

link_plan::finding link_plan::checked(const outcome<stream_check>& answer, std::uint64_t delivered) {
  if (!answer) return ++failed_ >= limits_.failed_checks ? finding::gone : finding::fine;
  failed_ = 0;
  if (leader_.empty()) leader_ = answer->leader; // a stream that was just made names none
  if (!answer->leader.empty() && answer->leader != leader_) return finding::new_leader;
  const bool still = behind_ && behind_at_ == delivered;
  behind_ = answer->last_message > delivered;
  behind_at_ = delivered;
  return still && behind_ ? finding::silent : finding::fine;
}

} // namespace poseidon
