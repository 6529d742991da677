#include "gateway/rate_limits.hpp"

namespace poseidon::gateway {

void rate_limits::set(token_rate rate) {
  std::lock_guard lock(rate_mutex_);
  rate_ = rate;
}

failure rate_limits::take(const owner_key& owner, boot_time now) {
  token_rate rate;
  {
    std::lock_guard lock(rate_mutex_);
    rate = rate_;
  }
  auto& shard = shards_[std::hash<std::string>{}(owner.value) % shards_.size()];
  std::lock_guard lock(shard.mutex);
  if (shard.buckets.size() >= shard.sweep_at) { // full buckets say nothing: forget them
    std::erase_if(shard.buckets, [&](auto& item) { return item.second.full(rate, now); });
    shard.sweep_at = std::max<std::size_t>(1024, shard.buckets.size() * 2);
  }
  auto answer = shard.buckets[owner.value].take(rate, now);
  if (answer.taken) return {};
  return {errc::rate_limited, owner.value + " asks for more than " + std::to_string(rate.per_minute) + " starts, resets and extensions a minute",
          answer.retry_after.count(), {}, {}};
}

std::size_t rate_limits::size() const {
  std::size_t total = 0;
  for (auto& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    total += shard.buckets.size();
  }
  return total;
}

} // namespace poseidon::gateway
