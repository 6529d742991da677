#include "actors/notifier/receiver_rule.hpp"

#include <gtest/gtest.h>

#include <map>

namespace poseidon {
namespace {

TEST(patterns, know_stars_and_question_marks) {
  EXPECT_TRUE(matches_pattern("instance.*", "instance.running"));
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("*.failed", "instance.failed"));
  EXPECT_TRUE(matches_pattern("web-??", "web-01"));
  EXPECT_TRUE(matches_pattern("a*b*c", "aXbXbYc"));
  EXPECT_TRUE(matches_pattern("**", "x"));
  EXPECT_FALSE(matches_pattern("instance.*", "node.up"));
  EXPECT_FALSE(matches_pattern("web-??", "web-1"));
  EXPECT_FALSE(matches_pattern("a*b", "ac"));
  EXPECT_FALSE(matches_pattern("", "x"));
  EXPECT_TRUE(matches_pattern("", ""));
  EXPECT_FALSE(matches_pattern("instance.fail", "instance.failed"));
}

TEST(patterns, take_no_exponential_time) {
  EXPECT_FALSE(matches_pattern("*a*a*a*a*a*a*a*a*a*a*a*b", std::string(5'000, 'a')));
}

TEST(receivers, get_what_they_asked_for) {
  notification running{"1-1", "instance.running", "i", "web-1", {1, 1}, "{}"};
  notification up{"1-2", "node.up", "", "", {1, 2}, "{}"};
  receiver_rule all{"all", receiver_kind::webhook, {}, {}, 8};
  EXPECT_TRUE(wants(all, running) && wants(all, up));
  receiver_rule web{"web", receiver_kind::webhook, {"instance.*"}, {"web-*", "pwn-*"}, 8};
  EXPECT_TRUE(wants(web, running));
  EXPECT_FALSE(wants(web, up));
  running.challenge = "crypto";
  EXPECT_FALSE(wants(web, running));
  receiver_rule any_of_web{"web", receiver_kind::webhook, {"*"}, {"*"}, 8};
  EXPECT_FALSE(wants(any_of_web, up)) << "an event of no challenge is of no chosen challenge";
}

TEST(notifiers, share_the_instances_evenly_and_agree_on_whose_is_whose) {
  const std::vector<std::string> three{"a", "b", "c"}, other_order{"c", "a", "b"}, two{"a", "c"};
  std::map<std::string, int> share;
  for (int i = 0; i < 3'000; ++i) {
    const auto instance = "instance" + std::to_string(i);
    const auto whose = notifier_of(instance, three);
    ++share[whose];
    EXPECT_EQ(notifier_of(instance, other_order), whose);
    if (whose == "b") continue;
    EXPECT_EQ(notifier_of(instance, two), whose) << "only the leaver's instances move";
  }
  for (auto& name : three) {
    EXPECT_GT(share[name], 800) << name;
    EXPECT_LT(share[name], 1'200) << name;
  }
  EXPECT_EQ(notifier_of("x", {}), "");
  EXPECT_EQ(notifier_of("", {"only"}), "only");
}

} // namespace
} // namespace poseidon
