#include "actors/log/log.hpp"

#include <algorithm>

namespace poseidon {

std::size_t sendable(const log_follower& follower, std::uint64_t last) {
  if (follower.reading || follower.halted || follower.sent >= last) return 0;
  std::uint64_t ahead = follower.sent - std::min(follower.sent, follower.consumed);
  if (ahead >= log_window_entries) return 0;
  return static_cast<std::size_t>(
      std::min({last - follower.sent, log_window_entries - ahead, static_cast<std::uint64_t>(log_batch_entries)}));
}

bool lost_place(const log_follower& follower, const log_extent& extent) {
  return !follower.halted && (follower.sent + 1 < extent.first || follower.sent > extent.last);
}

log_follower& log_followers::follow(const log_sink& sink, std::uint64_t after) {
  auto* follower = find(sink.address());
  if (!follower) follower = &all_.emplace_back();
  *follower = log_follower{sink, after, after, false, false};
  return *follower;
}

void log_followers::consumed(const log_sink& sink, std::uint64_t sequence) {
  if (auto* follower = find(sink.address())) follower->consumed = std::max(follower->consumed, std::min(sequence, follower->sent));
}

void log_followers::drop(const caf::actor_addr& sink) {
  std::erase_if(all_, [&](auto& f) { return f.sink.address() == sink; });
}

log_follower* log_followers::find(const caf::actor_addr& sink) {
  auto found = std::find_if(all_.begin(), all_.end(), [&](auto& f) { return f.sink.address() == sink; });
  return found == all_.end() ? nullptr : &*found;
}

std::optional<failure> refuse_follow(const log_extent& extent, std::uint64_t after) {
  if (after + 1 < extent.first)
    return failure{errc::stale, "the log begins at " + std::to_string(extent.first) + "; what was before it has been dropped", {}, {}, {}};
  if (after > extent.last)
    return failure{errc::not_found, "the log ends at " + std::to_string(extent.last), {}, {}, {}};
  return std::nullopt;
}

void recent_entries::push(const logged_entry& entry) {
  if (!entries_.empty() && entries_.back().sequence + 1 != entry.sequence) entries_.clear();
  entries_.push_back(entry);
  if (entries_.size() > capacity_) entries_.pop_front();
}

bool recent_entries::holds(std::uint64_t sequence) const {
  return !entries_.empty() && sequence >= entries_.front().sequence && sequence <= entries_.back().sequence;
}

std::vector<logged_entry> recent_entries::copy(std::uint64_t sequence, std::size_t count) const {
  if (!holds(sequence)) return {};
  auto from = entries_.begin() + static_cast<std::ptrdiff_t>(sequence - entries_.front().sequence);
  auto size = std::min<std::size_t>(count, static_cast<std::size_t>(entries_.end() - from));
  return {from, from + static_cast<std::ptrdiff_t>(size)};
}

} // namespace poseidon
