#include "actors/limits/token_bucket.hpp"

#include <gtest/gtest.h>

#include <random>

namespace poseidon {
namespace {

TEST(token_bucket, gives_the_burst_at_once_and_then_says_when) {
  token_rate rate{60, 3};
  token_bucket b;
  boot_time now{5'000};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(b.take(rate, now).taken);
  auto refused = b.take(rate, now);
  EXPECT_FALSE(refused.taken);
  EXPECT_EQ(refused.retry_after.count(), 1'000);
  EXPECT_FALSE(b.take(rate, now + millis{999}).taken);
  EXPECT_TRUE(b.take(rate, now + millis{1'000}).taken);
}

TEST(token_bucket, asking_in_vain_costs_nothing) {
  token_rate rate{1, 1};
  token_bucket b;
  EXPECT_TRUE(b.take(rate, boot_time{0}).taken);
  for (int i = 1; i < 60'000; i += 7) EXPECT_FALSE(b.take(rate, boot_time{i}).taken);
  EXPECT_TRUE(b.take(rate, boot_time{60'000}).taken);
}

TEST(token_bucket, no_rate_is_no_limit) {
  token_bucket b;
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(b.take({0, 1}, boot_time{1}).taken);
}

TEST(token_bucket, a_long_rest_fills_it_and_no_more) {
  token_rate rate{60, 2};
  token_bucket b;
  EXPECT_TRUE(b.take(rate, boot_time{0}).taken);
  EXPECT_FALSE(b.full(rate, boot_time{0}));
  EXPECT_TRUE(b.full(rate, boot_time{1'000}));
  boot_time later{1'000'000'000'000};
  EXPECT_TRUE(b.take(rate, later).taken);
  EXPECT_TRUE(b.take(rate, later).taken);
  EXPECT_FALSE(b.take(rate, later).taken);
}

TEST(token_bucket, a_clock_that_stands_or_goes_back_gives_nothing) {
  token_rate rate{60, 1};
  token_bucket b;
  EXPECT_TRUE(b.take(rate, boot_time{10'000}).taken);
  EXPECT_FALSE(b.take(rate, boot_time{0}).taken);
  EXPECT_FALSE(b.take(rate, boot_time{10'000}).taken);
  EXPECT_TRUE(b.take(rate, boot_time{11'000}).taken);
}

TEST(token_bucket, never_more_than_burst_and_rate_in_any_window) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 random(seed);
    token_rate rate{static_cast<std::uint32_t>(1 + random() % 600), static_cast<std::uint32_t>(1 + random() % 40)};
    token_bucket b;
    std::vector<std::int64_t> taken;
    std::int64_t now = 0;
    for (int i = 0; i < 2'000; ++i) {
      now += static_cast<std::int64_t>(random() % 300);
      if (b.take(rate, boot_time{now}).taken) taken.push_back(now);
    }
    for (std::size_t first = 0; first < taken.size(); first += 17)
      for (std::size_t last = first; last < taken.size(); last += 5) {
        auto span = taken[last] - taken[first];
        EXPECT_LE(static_cast<std::int64_t>(last - first + 1), rate.burst + span * rate.per_minute / 60'000 + 1) << "seed " << seed;
      }
  }
}

} // namespace
} // namespace poseidon
