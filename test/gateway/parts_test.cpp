// Small parts: following output, rates, settings.

#include "gateway/log_follow.hpp"
#include "gateway/rate_limits.hpp"
#include "gateway/settings_view.hpp"

#include <gtest/gtest.h>

namespace poseidon::gateway {

TEST(log_follow, only_what_is_new_is_sent) {
  EXPECT_EQ(new_output("", "a\n"), "a\n");
  EXPECT_EQ(new_output("a\n", "a\nb\n"), "b\n");
  EXPECT_EQ(new_output("a\nb\n", "a\nb\n"), "");
  EXPECT_EQ(new_output("b\nc\n", "a\nb\nc\nd\n"), "d\n") << "a tail was sent first";
  EXPECT_EQ(new_output("a\nb\nc\n", "x"), "x") << "nothing overlaps";
  std::string long_before(10'000, 'x'), marked = long_before + "the end\n";
  EXPECT_EQ(new_output(marked, marked.substr(3'000) + "more\n"), "more\n") << "the start was dropped";
}

TEST(rate_limits, owners_do_not_disturb_each_other) {
  rate_limits limits({60, 1});
  EXPECT_FALSE(limits.take({"user:a"}, boot_time{0}));
  auto refused = limits.take({"user:a"}, boot_time{0});
  EXPECT_EQ(refused.code, errc::rate_limited);
  EXPECT_EQ(refused.retry_after_ms, 1'000);
  EXPECT_FALSE(limits.take({"user:b"}, boot_time{0}));
  limits.set({0, 1});
  EXPECT_FALSE(limits.take({"user:a"}, boot_time{0}));
}

TEST(rate_limits, forgets_owners_who_are_long_quiet) {
  rate_limits limits({60, 1});
  for (int i = 0; i < 100'000; ++i) limits.take({"user:" + std::to_string(i)}, boot_time{i * 100ll});
  EXPECT_LT(limits.size(), 40'000u);
}

TEST(settings_view, the_ledger_overrides_live_settings_only) {
  config::loaded_settings loaded;
  std::map<std::string, std::string> overrides{{"rate.burst", "7"}, {"data", "\"/elsewhere\""}, {"rate.per_minute", "no json"}};
  auto values = effective_settings(loaded, overrides);
  EXPECT_EQ(values.rate.burst, 7u);
  EXPECT_EQ(values.data, loaded.values.data);
  EXPECT_EQ(values.rate.per_minute, loaded.values.rate.per_minute);
  for (auto& setting : shown_settings(loaded, overrides)) {
    if (setting.view.name == "rate.burst") {
      EXPECT_EQ(setting.source, "ledger");
      EXPECT_EQ(setting.view.value, "7");
    } else if (setting.view.name == "data") {
      EXPECT_EQ(setting.source, "default");
    }
  }
}

} // namespace poseidon::gateway
