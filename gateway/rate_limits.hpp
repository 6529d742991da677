#pragma once
// The rate of each owner's starts, resets and extensions, at this gateway. Thread-safe.

#include "actors/limits/token_bucket.hpp"
#include "messages/errors.hpp"
#include "messages/ids.hpp"

#include <array>
#include <mutex>
#include <unordered_map>

namespace poseidon::gateway {

class rate_limits {
public:
  explicit rate_limits(token_rate rate) : rate_(rate) {}
  /// A live setting changed.
  void set(token_rate rate);
  /// rate_limited with the time to wait, or a failure that is none.
  failure take(const owner_key& owner, boot_time now);
  /// Owners remembered now.
  std::size_t size() const;

private:
  struct shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, token_bucket> buckets;
    std::size_t sweep_at = 1024;
  };
  mutable std::mutex rate_mutex_;
  token_rate rate_;
  std::array<shard, 16> shards_;
};

} // namespace poseidon::gateway
