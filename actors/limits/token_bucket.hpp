#pragma once
// A rate as a bucket of tokens. Pure: time is an argument.

#include "messages/time.hpp"

#include <algorithm>
#include <cstdint>

namespace poseidon {

/// `burst` at once, then `per_minute`. per_minute 0: no limit.
struct token_rate {
  std::uint32_t per_minute = 0;
  std::uint32_t burst = 1;
};

/// One owner's bucket: sixteen bytes. Counts in token-milliseconds (a token is 60,000 / per_minute ms), so nothing is
/// rounded away however often it is asked.
class token_bucket {
public:
  /// Takes one token; else tells how long until there is one. A new bucket is full.
  struct answer {
    bool taken = true;
    millis retry_after{0};
  };
  answer take(const token_rate& rate, boot_time now) {
    if (rate.per_minute == 0) return {};
    refill(rate, now);
    if (level_ >= one_token) {
      level_ -= one_token;
      return {};
    }
    auto missing = one_token - level_;
    return {false, millis{(missing + rate.per_minute - 1) / rate.per_minute}};
  }

  /// True when it is full again: nothing is lost by forgetting it.
  bool full(const token_rate& rate, boot_time now) const {
    auto copy = *this;
    copy.refill(rate, now);
    return copy.level_ >= capacity(rate);
  }

private:
  static constexpr std::int64_t one_token = 60'000;
  static std::int64_t capacity(const token_rate& rate) { return one_token * std::max<std::uint32_t>(1, rate.burst); }

  void refill(const token_rate& rate, boot_time now) {
    auto most = capacity(rate);
    if (at_.ms < 0) {
      level_ = most;
    } else {
      // A day fills any bucket; the bound keeps the product small.
      auto passed = std::clamp<std::int64_t>(now.ms - at_.ms, 0, 86'400'000);
      level_ = std::min(most, level_ + passed * rate.per_minute);
    }
    at_ = std::max(at_, now);
  }

  std::int64_t level_ = 0;
  boot_time at_{-1};
};

} // namespace poseidon
