#include "nodes/host/logging.hpp"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

namespace poseidon {

TEST(logging, the_level_changes_while_it_runs) {
  const auto before = spdlog::default_logger();
  set_up_logging("text", "warn");
  EXPECT_FALSE(spdlog::should_log(spdlog::level::info));
  set_log_level("debug");
  EXPECT_TRUE(spdlog::should_log(spdlog::level::debug));
  EXPECT_FALSE(spdlog::should_log(spdlog::level::trace));
  set_log_level("error");
  EXPECT_FALSE(spdlog::should_log(spdlog::level::warn));
  spdlog::set_default_logger(before);
}

} // namespace poseidon
