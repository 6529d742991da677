#include "actors/notifier/delivery_table.hpp"

#include <gtest/gtest.h>

namespace poseidon {
namespace {

using kind = attempt_result::kind;
using settled = settlement::kind;

notification_ptr event_of(std::string instance, std::uint64_t number) {
  auto made = std::make_shared<notification>();
  made->id = "1-" + std::to_string(number);
  made->type = "instance.running";
  made->instance = std::move(instance);
  return made;
}

const attempt_result delivered{kind::delivered, false, std::nullopt, {}};
const attempt_result refused{kind::never, false, std::nullopt, "answered 404"};
const attempt_result broken{kind::again, false, std::nullopt, "answered 500"};
const attempt_result away{kind::again, true, std::nullopt, "connection refused"};

struct deliveries : ::testing::Test {
  retry_rule rule{millis{1'000}, millis{60'000}, millis{3'600'000}, 3};
  delivery_table table{8, rule};
  boot_time now{1'000'000};
  wall_time wall{5'000'000};

  void add(std::uint64_t row, const std::string& instance) { table.add({row, wall, event_of(instance, row)}); }
  std::vector<std::uint64_t> due() {
    std::vector<std::uint64_t> rows;
    for (auto& attempt : table.take_due(now)) rows.push_back(attempt.row);
    return rows;
  }
  std::vector<settlement> settle(std::uint64_t row, const attempt_result& result) { return table.settle(row, result, now, wall, 0); }
  void pass(millis span) {
    now = now + span;
    wall = wall + span;
  }
};

using rows = std::vector<std::uint64_t>;

TEST_F(deliveries, of_one_instance_go_one_after_the_other_and_of_several_side_by_side) {
  add(1, "a");
  add(2, "a");
  add(3, "b");
  EXPECT_EQ(due(), (rows{1, 3}));
  EXPECT_EQ(due(), rows{});
  EXPECT_EQ(settle(1, delivered).at(0).what, settled::delivered);
  EXPECT_EQ(due(), rows{2});
  settle(3, delivered);
  settle(2, delivered);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_FALSE(table.next());
}

TEST_F(deliveries, keep_to_the_bound_of_requests_under_way) {
  table = delivery_table{2, rule};
  for (std::uint64_t row = 1; row <= 4; ++row) add(row, "i" + std::to_string(row));
  EXPECT_EQ(due(), (rows{1, 2}));
  EXPECT_FALSE(table.next());
  settle(2, delivered);
  EXPECT_EQ(due(), rows{3});
}

TEST_F(deliveries, that_fail_wait_longer_each_time_while_other_instances_go_on) {
  add(1, "a");
  add(2, "a");
  due();
  for (auto wait : {1'000, 2'000, 4'000}) {
    EXPECT_EQ(settle(1, broken).at(0).what, settled::retried);
    add(static_cast<std::uint64_t>(100 + wait), "b");
    EXPECT_EQ(due(), rows{static_cast<std::uint64_t>(100 + wait)}) << "another instance is not held up";
    settle(static_cast<std::uint64_t>(100 + wait), delivered);
    EXPECT_EQ(table.next(), now + millis{wait - wait / 2}) << "half of it by chance, here none";
    pass(millis{wait - wait / 2 - 1});
    EXPECT_EQ(due(), rows{});
    pass(millis{1});
    EXPECT_EQ(due(), rows{1}) << "and 2 never before it";
  }
}

TEST_F(deliveries, count_their_attempts) {
  add(1, "a");
  EXPECT_EQ(table.take_due(now).at(0).number, 1u);
  settle(1, broken);
  pass(millis{1'000});
  EXPECT_EQ(table.take_due(now).at(0).number, 2u);
  EXPECT_EQ(settle(1, refused).at(0).attempts, 2u);
}

TEST_F(deliveries, to_a_receiver_that_is_away_are_tried_one_at_a_time_and_all_go_out_once_it_is_back) {
  for (std::uint64_t row = 1; row <= 20; ++row) add(row, "i" + std::to_string(row));
  auto sent = due();
  ASSERT_EQ(sent.size(), 8u);
  for (auto row : sent) settle(row, away);
  std::size_t attempts = 0;
  for (int i = 0; i < 300; ++i, pass(millis{1'000}))
    for (auto row : due()) {
      ++attempts;
      settle(row, away);
    }
  EXPECT_TRUE(table.outage());
  EXPECT_GT(attempts, 5u);
  EXPECT_LT(attempts, 30u) << "a receiver that is away is asked now and then, not for each event";
  pass(*table.next() - now);
  auto first = due();
  ASSERT_EQ(first.size(), 1u) << "one tries whether it is back";
  settle(first[0], delivered);
  EXPECT_FALSE(table.outage());
  EXPECT_EQ(due().size(), 8u) << "then all go on at once";
}

TEST_F(deliveries, that_are_refused_for_good_do_not_hold_up_those_behind_them) {
  add(1, "a");
  add(2, "a");
  due();
  auto gone = settle(1, refused);
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].what, settled::buried);
  EXPECT_EQ(gone[0].why, "answered 404");
  EXPECT_EQ(due(), rows{2});
}

TEST_F(deliveries, that_fail_for_too_long_are_given_up_and_with_them_what_waited_as_long) {
  add(1, "a");
  add(2, "a");
  add(3, "b");
  std::vector<settlement> gone;
  while (wall < wall_time{5'000'000} + rule.give_up + millis{120'000} && gone.empty()) {
    for (auto row : due())
      for (auto& one : settle(row, away))
        if (one.what == settled::buried) gone.push_back(one);
    if (gone.empty()) pass(std::max(millis{1}, *table.next() - now));
  }
  ASSERT_EQ(gone.size(), 3u);
  EXPECT_GE(wall, wall_time{5'000'000} + rule.give_up);
  EXPECT_EQ(table.size(), 0u);
  add(9, "b");
  EXPECT_FALSE(due().empty() && !table.next()) << "younger ones are tried on";
}

TEST_F(deliveries, wait_as_long_as_a_busy_receiver_asks) {
  table = delivery_table{1, rule};
  add(1, "a");
  add(2, "b");
  due();
  settle(1, {kind::again, true, millis{30'000}, "answered 429"});
  pass(millis{29'999});
  EXPECT_EQ(due(), rows{}) << "nor is another event sent meanwhile";
  pass(millis{1});
  EXPECT_EQ(due().size(), 1u);
}

TEST_F(deliveries, an_answer_to_nothing_changes_nothing) {
  EXPECT_TRUE(settle(7, delivered).empty());
  add(1, "a");
  EXPECT_TRUE(settle(1, delivered).empty()) << "not under way";
  EXPECT_EQ(table.size(), 1u);
}

TEST(replies, say_whether_to_try_again) {
  auto judge = [](int status) { return judge_reply(receiver_reply{status, std::nullopt, "x"}).what; };
  for (int status : {200, 201, 202, 204, 299}) EXPECT_EQ(judge(status), kind::delivered) << status;
  for (int status : {408, 425, 429, 500, 502, 503, 504, 599}) EXPECT_EQ(judge(status), kind::again) << status;
  for (int status : {301, 302, 307, 400, 401, 403, 404, 410, 413, 422}) EXPECT_EQ(judge(status), kind::never) << status;
  EXPECT_EQ(judge_reply(failure{errc::request_timeout, "late", {}, {}, {}}).what, kind::again);
  EXPECT_EQ(judge_reply(failure{errc::forbidden, "link-local", {}, {}, {}}).what, kind::never);
  EXPECT_EQ(judge_reply(receiver_reply{404, {}, "gone fishing"}).why, "answered 404: gone fishing");
}

TEST(replies, are_not_believed_when_they_ask_for_ages) {
  EXPECT_EQ(judge_reply(receiver_reply{429, millis{1'500}, {}}).wait, millis{1'500});
  EXPECT_EQ(judge_reply(receiver_reply{429, millis{1'000'000'000}, {}}).wait, millis{3'600'000});
  EXPECT_EQ(judge_reply(receiver_reply{500, {}, {}}).wait, std::nullopt);
}

TEST(waits, double_up_to_the_longest_and_vary_in_their_upper_half) {
  const retry_rule rule{millis{1'000}, millis{10'000}, millis{1}, 3};
  for (auto [n, least, most] : {std::tuple{1u, 500, 1'000}, {2u, 1'000, 2'000}, {4u, 4'000, 8'000}, {5u, 5'000, 10'000}, {4'000'000'000u, 5'000, 10'000}}) {
    EXPECT_EQ(backoff(rule, n, 0), millis{least}) << n;
    EXPECT_EQ(backoff(rule, n, static_cast<std::uint64_t>(most - least)), millis{most}) << n;
    for (std::uint64_t random : {1ull, 77ull, ~0ull}) {
      EXPECT_GE(backoff(rule, n, random), millis{least});
      EXPECT_LE(backoff(rule, n, random), millis{most});
    }
  }
}

} // namespace
} // namespace poseidon
