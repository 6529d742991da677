// Small parts: rates, settings.

#include "gateway/rate_limits.hpp"
#include "gateway/settings_view.hpp"

#include <gtest/gtest.h>

namespace poseidon::gateway {

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
