#include "test/actors/notifier/notifier_fixture.hpp"

#include <gmock/gmock.h>

namespace poseidon::test {
namespace {

using testing::ElementsAreArray;
using testing::IsEmpty;
using ids = std::vector<std::string>;

constexpr millis minute{60'000};

/// Those of `all` that belong to each instance are in `got` in the same order, each exactly once.
void expect_all_in_order(const hand_receivers::one& receiver, const hand_ledger& log, std::size_t instances) {
  for (std::size_t i = 0; i < instances; ++i) {
    const auto instance = "i" + std::to_string(i);
    ids wanted;
    for (auto& change : log.changes)
      if (!change.instances.empty() && change.instances[0]->id.value == instance) wanted.push_back(to_string(change.at));
    EXPECT_THAT(receiver.ids(instance), ElementsAreArray(wanted)) << instance;
  }
}

TEST_F(notifier_fixture, tells_what_happens_from_its_first_start_on) {
  log->put("before");
  start();
  EXPECT_THAT(ops().ids(), IsEmpty()) << "what was before it is not news";
  const auto all = put_many(6, 2);
  EXPECT_THAT(ops().ids("i0"), ElementsAreArray(ids{all[0], all[2], all[4]}));
  EXPECT_THAT(ops().ids("i1"), ElementsAreArray(ids{all[1], all[3], all[5]}));
  EXPECT_EQ(ops().got[0].what->body, "{\"id\":\"" + all[0] + "\"}");
  EXPECT_EQ(status["ops"].delivered, 6u);
  EXPECT_EQ(status["ops"].pending, 0u);
  EXPECT_FALSE(status["ops"].failing_since);
}

TEST_F(notifier_fixture, a_receiver_down_for_five_minutes_gets_every_event_once_it_is_back_in_order_and_holds_nobody_up) {
  rules.push_back({"other", receiver_kind::webhook, {"*"}, {}, 8});
  start();
  put_many(10, 5);
  ops().away = true;
  for (int second = 0; second < 300; ++second) {
    put_many(3, 7);
    const auto other = port->all["other"].got.size();
    EXPECT_EQ(other, 10u + 3u * (static_cast<std::size_t>(second) + 1)) << "told at once";
    advance(millis{1'000});
  }
  EXPECT_EQ(status["ops"].pending, 900u);
  EXPECT_TRUE(status["ops"].failing_since);
  EXPECT_EQ(status["ops"].last_error, "connection refused");
  EXPECT_LT(ops().asked, 60u) << "it is not hammered meanwhile";
  EXPECT_EQ(status["ops"].buried, 0u);
  EXPECT_EQ(status["ops"].dead, 0u) << "nothing is given up";
  ops().away = false;
  advance(minute); // the longest wait between two attempts
  EXPECT_EQ(ops().got.size(), 910u);
  expect_all_in_order(ops(), *log, 7);
  EXPECT_EQ(status["ops"].pending, 0u);
  EXPECT_FALSE(status["ops"].failing_since);
}

TEST_F(notifier_fixture, five_minutes_without_an_answer_and_of_busy_answers_make_no_dead_letter) {
  start();
  for (int status_of_proxy : {500, 502, 503, 504, 429, 408}) {
    ops().status = status_of_proxy;
    put_many(7, 7);
    advance(5 * minute);
  }
  ops().silent = true; // takes connections, says nothing
  put_many(7, 7);
  advance(5 * minute);
  EXPECT_EQ(status["ops"].buried, 0u);
  EXPECT_EQ(status["ops"].dead, 0u);
  EXPECT_EQ(status["ops"].pending, 49u);
  ops().silent = false;
  ops().status = 200;
  advance(2 * minute); // the longest wait, and the last request without an answer
  EXPECT_EQ(ops().got.size(), 49u);
  expect_all_in_order(ops(), *log, 7);
}

TEST_F(notifier_fixture, killed_at_any_time_it_goes_on_where_it_was) {
  start();
  put_many(4, 2);
  ops().away = true;
  put_many(10, 2);
  kill();
  put_many(10, 2); // nobody listens: it is read from the ledger's copy
  start();
  put_many(5, 2);
  EXPECT_EQ(status["ops"].pending, 25u);
  kill();
  ops().away = false;
  start();
  advance(minute);
  EXPECT_EQ(ops().got.size(), 29u);
  expect_all_in_order(ops(), *log, 2);
}

TEST_F(notifier_fixture, killed_between_delivery_and_its_record_it_delivers_once_more) {
  start();
  ops().judge = [this](const notification& what) {
    if (what.id == to_string(log->at)) caf::anon_send_exit(notifier, caf::exit_reason::kill); // before it hears of the answer
    return 200;
  };
  log->put("i0");
  run();
  ASSERT_EQ(ops().got.size(), 1u);
  kill();
  ops().judge = nullptr;
  start();
  ASSERT_EQ(ops().got.size(), 2u);
  EXPECT_EQ(ops().got[0].what->id, ops().got[1].what->id) << "the same id: the receiver can tell";
}

TEST_F(notifier_fixture, tells_where_instances_stand_when_it_was_away_for_too_long) {
  start();
  put_many(2, 2);
  kill();
  put_many(10, 2);
  log->history_from = log->at;
  start();
  ASSERT_EQ(ops().got.size(), 4u);
  EXPECT_EQ(ops().got[2].what->type, "missed");
  EXPECT_EQ(ops().got[3].what->type, "missed");
  log->put("i0");
  run();
  EXPECT_EQ(ops().got.back().what->type, "instance.running");
}

TEST_F(notifier_fixture, a_new_receiver_is_told_what_happens_after_it_came) {
  start();
  put_many(3, 1);
  kill();
  put_many(3, 1);
  rules.push_back({"new", receiver_kind::webhook, {"*"}, {}, 8});
  start();
  EXPECT_EQ(ops().got.size(), 6u);
  EXPECT_EQ(port->all["new"].got.size(), 0u);
  put_many(1, 1);
  EXPECT_EQ(port->all["new"].got.size(), 1u);
}

TEST_F(notifier_fixture, what_is_refused_for_good_is_a_dead_letter_that_can_be_sent_again) {
  ops().judge = [](const notification& what) { return what.type == "instance.failed" ? 404 : 200; };
  start();
  log->put("i0");
  const auto lost = to_string(log->put("i0", "instance.failed"));
  log->put("i0");
  run();
  EXPECT_EQ(ops().got.size(), 2u) << "those behind it go on";
  auto dead = world.answer_now<outcome<dead_letters>>(notifier, list_dead_letters{});
  ASSERT_TRUE(dead && *dead);
  ASSERT_EQ((*dead)->items.size(), 1u);
  const auto& letter = (*dead)->items[0];
  EXPECT_EQ(letter.event, lost);
  EXPECT_EQ(letter.type, "instance.failed");
  EXPECT_EQ(letter.instance, "i0");
  EXPECT_EQ(letter.reason, "answered 404");
  EXPECT_EQ(letter.attempts, 1u);
  EXPECT_EQ(status["ops"].dead, 1u);
  auto unknown = world.answer_now<outcome<replayed_letters>>(notifier, replay_dead_letters{letter.id + 1, {}});
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->error.code, errc::not_found);
  ops().judge = nullptr;
  auto again = world.answer_now<outcome<replayed_letters>>(notifier, replay_dead_letters{letter.id, {}});
  ASSERT_TRUE(again && *again);
  EXPECT_EQ((*again)->count, 1u);
  EXPECT_EQ(ops().ids().back(), lost);
  EXPECT_EQ(status["ops"].dead, 0u);
}

TEST_F(notifier_fixture, events_that_fail_for_too_long_are_given_up_and_replayed_when_asked) {
  options.retry.give_up = 10 * minute;
  ops().away = true;
  start();
  put_many(20, 4);
  advance(12 * minute);
  EXPECT_EQ(status["ops"].dead, 20u);
  EXPECT_EQ(status["ops"].pending, 0u);
  ops().away = false;
  auto again = world.answer_now<outcome<replayed_letters>>(notifier, replay_dead_letters{0, "ops"});
  ASSERT_TRUE(again && *again);
  EXPECT_EQ((*again)->count, 20u);
  advance(minute);
  expect_all_in_order(ops(), *log, 4);
}

TEST_F(notifier_fixture, more_than_it_holds_in_memory_waits_in_the_store) {
  options.in_memory = 10;
  ops().away = true;
  start();
  put_many(500, 9);
  advance(minute);
  ops().away = false;
  advance(2 * minute);
  EXPECT_EQ(ops().got.size(), 500u);
  expect_all_in_order(ops(), *log, 9);
}

TEST_F(notifier_fixture, nothing_is_lost_while_the_disk_is_full) {
  start();
  store->full = true;
  put_many(5, 2);
  EXPECT_THAT(ops().ids(), IsEmpty());
  store->full = false;
  advance(millis{1'000});
  EXPECT_EQ(ops().got.size(), 5u);
  expect_all_in_order(ops(), *log, 2);
}

TEST_F(notifier_fixture, what_waits_for_a_full_disk_is_bounded_and_read_again_from_the_ledger) {
  options.most_unstored = 50;
  start();
  put_many(2, 2);
  store->full = true;
  put_many(200, 5);
  store->full = false;
  advance(millis{2'000});
  put_many(3, 3);
  EXPECT_EQ(ops().got.size(), 205u);
  expect_all_in_order(ops(), *log, 5);
}

TEST_F(notifier_fixture, a_receiver_that_never_answers_is_asked_again) {
  ops().silent = true;
  start();
  put_many(1, 1);
  advance(options.send_limit + millis{5'000});
  EXPECT_TRUE(status["ops"].failing_since);
  ops().silent = false;
  advance(millis{2'000});
  EXPECT_EQ(ops().got.size(), 1u);
}

TEST_F(notifier_fixture, goes_on_when_the_log_begins_anew) {
  start();
  put_many(3, 1);
  log->begin_anew();
  put_many(3, 1);
  EXPECT_EQ(ops().got.size(), 6u);
  expect_all_in_order(ops(), *log, 1);
}

TEST_F(notifier_fixture, asks_a_silent_ledger_again) {
  log->silent = true;
  start();
  advance(millis{15'000});
  log->silent = false;
  advance(millis{15'000});
  put_many(2, 1);
  EXPECT_EQ(ops().got.size(), 2u);
}

TEST_F(notifier_fixture, filters_by_event_and_challenge) {
  rules = {{"failures", receiver_kind::webhook, {"instance.failed", "instance.lost"}, {}, 8},
           {"pwn", receiver_kind::webhook, {"instance.*"}, {"pwn-*"}, 8}};
  start();
  log->put("a", "instance.running", "pwn-1");
  log->put("b", "instance.failed", "web");
  log->put("c", "instance.failed", "pwn-2");
  run();
  EXPECT_EQ(port->all["failures"].got.size(), 2u);
  EXPECT_EQ(port->all["pwn"].got.size(), 2u);
  EXPECT_EQ(port->all["pwn"].got[1].what->instance, "c");
}

TEST_F(notifier_fixture, shares_the_instances_with_other_notifiers) {
  options.self = "a";
  options.members = {"a", "b"};
  start();
  put_many(40, 40);
  const auto mine = ops().got.size();
  kill();
  EXPECT_GT(mine, 5u);
  EXPECT_LT(mine, 35u);
  options.self = "b";
  folder_of_other();
  start();
  const auto before = ops().got.size();
  for (std::size_t i = 0; i < 40; ++i) log->put("i" + std::to_string(i));
  run();
  EXPECT_EQ(ops().got.size() - before, 40u - mine) << "the other one tells of the rest";
}

TEST_F(notifier_fixture, a_channel_reads_in_one_order) {
  rules = {{"chat", receiver_kind::discord, {"*"}, {}, 8}};
  port->all["chat"].silent = true;
  start();
  put_many(5, 5);
  EXPECT_EQ(port->all["chat"].asked, 1u) << "one request after the other";
}

} // namespace
} // namespace poseidon::test
