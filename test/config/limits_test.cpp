#include "config/limits.hpp"

#include <gtest/gtest.h>

namespace poseidon::config {
namespace {

TEST(limits, every_setting_reaches_the_ledger) {
  settings s;
  s.limits = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  s.placement = {{40}, {35}, {25}, placement_strategy::pack};
  auto table = limits_of(s);
  EXPECT_EQ(table.per_owner, s.limits.per_owner);
  EXPECT_EQ(table.per_user, s.limits.per_user);
  EXPECT_EQ(table.per_team, s.limits.per_team);
  EXPECT_EQ(table.per_challenge, s.limits.per_challenge);
  EXPECT_EQ(table.per_node, s.limits.per_node);
  EXPECT_EQ(table.cluster, s.limits.cluster);
  EXPECT_EQ(table.cost_per_owner, s.limits.cost_per_owner);
  EXPECT_EQ(table.cost_cluster, s.limits.cost_cluster);
  EXPECT_EQ(table.queue, s.limits.queue);
  EXPECT_EQ(table.weight_cpu, 400u);
  EXPECT_EQ(table.weight_memory, 350u);
  EXPECT_EQ(table.weight_count, 250u);
  EXPECT_TRUE(table.pack);
  EXPECT_FALSE(limits_of({}).pack);
}

} // namespace
} // namespace poseidon::config
