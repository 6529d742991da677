#include "actors/instance/deadline.hpp"
#include "actors/instance/extension_policy.hpp"
#include "actors/instance/plan.hpp"
#include "actors/instance/service_restart.hpp"
#include "actors/instance/start_failure.hpp"

#include <gtest/gtest.h>

using namespace poseidon;
using namespace std::chrono_literals;

namespace {

instance_spec spec() {
  instance_spec s;
  s.services.emplace_back();
  s.lifetime_ms = 1'800'000;
  s.extension = {600'000, 50, 1'500'000, 90};
  return s;
}

TEST(extension, is_refused_before_its_share_of_the_time_and_says_when) {
  const auto d = decide_extension(spec(), {1'800'000ms - 600'000ms, 0ms, 0});
  EXPECT_FALSE(d.allowed);
  ASSERT_TRUE(d.next_in);
  EXPECT_EQ(*d.next_in, 300'000ms);
  EXPECT_EQ(extension_failure(d).code, errc::extension_refused);
  EXPECT_EQ(extension_failure(d).retry_after_ms, 300'000);
}

TEST(extension, is_allowed_at_exactly_its_share) {
  const auto d = decide_extension(spec(), {900'000ms, 0ms, 0});
  EXPECT_TRUE(d.allowed);
  EXPECT_EQ(d.step, 600'000ms);
  EXPECT_FALSE(decide_extension(spec(), {900'001ms, 0ms, 0}).allowed);
}

TEST(extension, counts_earlier_ones_into_the_span) {
  // 30 min + 10 min: half of 40 min has to have passed
  const auto d = decide_extension(spec(), {1'500'000ms, 600'000ms, 0});
  EXPECT_FALSE(d.allowed);
  EXPECT_EQ(*d.next_in, 300'000ms);
  EXPECT_TRUE(decide_extension(spec(), {1'200'000ms, 600'000ms, 0}).allowed);
}

TEST(extension, is_capped_by_its_maximum) {
  const auto last = decide_extension(spec(), {1'000ms, 1'200'000ms, 0});
  EXPECT_TRUE(last.allowed);
  EXPECT_EQ(last.step, 300'000ms) << "what is left of the maximum";
  const auto none = decide_extension(spec(), {1'000ms, 1'500'000ms, 0});
  EXPECT_FALSE(none.allowed);
  EXPECT_FALSE(none.next_in) << "never again";
}

TEST(extension, maximum_defaults_to_the_lifetime) {
  auto s = spec();
  s.extension.max_ms = 0;
  EXPECT_TRUE(decide_extension(s, {1'000ms, 1'799'999ms, 0}).allowed);
  EXPECT_FALSE(decide_extension(s, {1'000ms, 1'800'000ms, 0}).allowed);
}

TEST(extension, is_refused_at_or_above_the_load) {
  EXPECT_TRUE(decide_extension(spec(), {900'000ms, 0ms, 89}).allowed);
  const auto d = decide_extension(spec(), {900'000ms, 0ms, 90});
  EXPECT_FALSE(d.allowed);
  EXPECT_TRUE(d.next_in);
  auto s = spec();
  s.extension.below_load_percent = 100;
  EXPECT_TRUE(decide_extension(s, {900'000ms, 0ms, 100}).allowed) << "100: never refused for load";
}

TEST(extension, is_refused_where_the_challenge_has_none) {
  auto s = spec();
  s.extension.step_ms = 0;
  EXPECT_FALSE(decide_extension(s, {1ms, 0ms, 0}).allowed);
}

TEST(deadline, survives_a_process_restart_on_the_boot_clock_whatever_wall_time_does) {
  const auto d = make_deadline("boot-a", {1'000}, {1'000'000}, {61'000});
  EXPECT_EQ(d.wall, wall_time{1'060'000});
  EXPECT_EQ(reckon(d, "boot-a", {5'000}, {9'999'999}), boot_time{61'000});
}

TEST(deadline, survives_a_reboot_by_wall_time) {
  const auto d = make_deadline("boot-a", {1'000'000}, {1'000'000}, {1'060'000});
  EXPECT_EQ(reckon(d, "boot-b", {500}, {1'020'000}), boot_time{40'500});
  EXPECT_LE(reckon(d, "boot-b", {500}, {1'070'000}), boot_time{500}) << "it passed while the machine was down";
}

TEST(end_plan, expiry_terminates_at_once_and_kills_within_900_ms_of_the_deadline) {
  auto s = spec();
  EXPECT_EQ(plan_expiry(s, {1'000}, {1'000}).grace, 900ms);
  EXPECT_EQ(plan_expiry(s, {1'000}, {1'300}).grace, 600ms) << "a late timer does not prolong it";
  EXPECT_EQ(plan_expiry(s, {1'000}, {5'000}).grace, 0ms);
  s.services[0].stop_grace_ms = 30'000;
  EXPECT_EQ(plan_expiry(s, {1'000}, {1'000}).grace, 900ms) << "whatever grace a challenge asks for";
  s.services[0].stop_grace_ms = 200;
  EXPECT_EQ(plan_expiry(s, {1'000}, {1'000}).grace, 200ms);
}

TEST(end_plan, a_stop_honours_the_grace_but_not_beyond_the_deadline) {
  auto s = spec();
  EXPECT_EQ(plan_stop(s, boot_time{100'000}, {1'000}).grace, 0ms) << "default grace";
  s.services[0].stop_grace_ms = 5'000;
  s.services.emplace_back().stop_grace_ms = 8'000;
  EXPECT_EQ(plan_stop(s, boot_time{100'000}, {1'000}).grace, 8'000ms);
  EXPECT_EQ(plan_stop(s, boot_time{3'000}, {1'000}).grace, 2'900ms);
  EXPECT_EQ(plan_stop(s, {}, {1'000}).grace, 8'000ms);
}

TEST(service_restart, follows_the_mode) {
  auto s = spec();
  const service_exited clean{{}, "main", 0, false}, crash{{}, "main", 1, false}, oom{{}, "main", 0, true};
  s.restart = restart_mode::no;
  EXPECT_FALSE(decide_service_restart(s, crash, {}, {0}).allowed);
  s.restart = restart_mode::on_failure;
  EXPECT_FALSE(decide_service_restart(s, clean, {}, {0}).allowed);
  EXPECT_TRUE(decide_service_restart(s, crash, {}, {0}).allowed);
  EXPECT_TRUE(decide_service_restart(s, oom, {}, {0}).allowed);
  s.restart = restart_mode::always;
  EXPECT_TRUE(decide_service_restart(s, clean, {}, {0}).allowed);
}

TEST(service_restart, three_in_five_minutes_by_default) {
  const auto s = spec();
  const service_exited crash{{}, "main", 1, false};
  std::vector<boot_time> recent;
  for (std::int64_t at : {0, 1000, 2000}) {
    EXPECT_TRUE(decide_service_restart(s, crash, recent, {at}).allowed);
    note_restart(rule_of(s), recent, {at});
  }
  EXPECT_FALSE(decide_service_restart(s, crash, recent, {3000}).allowed);
  EXPECT_TRUE(decide_service_restart(s, crash, recent, {300'000}).allowed);
}

TEST(start_failure, tells_the_nodes_fault_from_the_challenges) {
  for (auto code : {errc::image_missing, errc::no_space, errc::engine_unavailable, errc::image_denied, errc::image_pull_failed, errc::isolation_unproven})
    EXPECT_TRUE(node_cannot(code)) << to_string(code);
  for (auto code : {errc::exited_at_start, errc::never_healthy, errc::operation_not_permitted, errc::invalid_spec, errc::out_of_memory, errc::start_limit_exceeded})
    EXPECT_FALSE(node_cannot(code)) << to_string(code);
  EXPECT_TRUE(is_unclear(errc::engine_timeout));
  EXPECT_TRUE(is_unclear(errc::unknown_outcome));
  EXPECT_FALSE(is_unclear(errc::no_space));
}

TEST(start_failure, an_exit_is_explained_from_its_output) {
  EXPECT_EQ(exit_failure({{}, "main", 1, false}, "no such file").code, errc::exited_at_start);
  const auto denied = exit_failure({{}, "main", 1, false}, "chown: Operation not permitted");
  EXPECT_EQ(denied.code, errc::operation_not_permitted);
  EXPECT_NE(denied.detail.find("security: docker"), std::string::npos);
  EXPECT_EQ(denied.log_tail, "chown: Operation not permitted");
  EXPECT_EQ(exit_failure({{}, "main", 137, true}, "").code, errc::out_of_memory);
}

TEST(start_failure, health_checks_are_frequent_first) {
  EXPECT_EQ(probe_delay(5ms, 0ms), 5ms);
  EXPECT_EQ(probe_delay(5ms, 199ms), 5ms);
  EXPECT_EQ(probe_delay(5ms, 2'000ms), 100ms);
  EXPECT_EQ(probe_delay(5ms, 60'000ms), 250ms);
  EXPECT_EQ(probe_delay(400ms, 60'000ms), 400ms);
  EXPECT_EQ(back_off(0, 100ms, 5'000ms), 100ms);
  EXPECT_EQ(back_off(3, 100ms, 5'000ms), 800ms);
  EXPECT_EQ(back_off(4'000'000'000u, 100ms, 5'000ms), 5'000ms);
}

TEST(plan, carries_what_runtime_and_labels_need) {
  journal_record r;
  r.instance = {"abc"};
  r.key = {"team:7"};
  r.owner = {"alice", "7", {}, {}};
  r.challenge = {"hello"};
  r.host = "x.localhost";
  r.spec = std::make_shared<instance_spec>(spec());
  const auto plan = make_plan(r, {1'000'000});
  EXPECT_EQ(plan->slot, "team:7/hello");
  EXPECT_EQ(plan->team, "7");
  EXPECT_FALSE(plan->expires_at);
  EXPECT_EQ(plan->expires_max, (wall_time{1'000'000 + 300'000 + 1'800'000 + 1'500'000 + 3'600'000}));
  r.challenge = {};
  r.spec_id = {"sha256:1"};
  EXPECT_EQ(make_plan(r, {0})->slot, "team:7/sha256:1");
}

TEST(plan, facts_are_numbered_without_gaps) {
  journal_record r;
  EXPECT_EQ(next_head(r, {"n"}, {}).number, 1u);
  EXPECT_EQ(next_head(r, {"n"}, {}).number, 2u);
  EXPECT_EQ(r.next_fact, 3u);
}

} // namespace
