// Appends and their answers, subscriptions, reads (docs/ownership.md, crash point 2).

#include "test/actors/ledger/ledger_fixture.hpp"

namespace poseidon::test {
namespace {

using append_test = ledger_test;

TEST_F(append_test, a_new_ledger_opens_its_first_incarnation) {
  EXPECT_EQ(status().folded, (position{1, 1}));
  EXPECT_TRUE(status().connected);
  EXPECT_TRUE(status().gate_open);
  ASSERT_EQ(log_store->entries.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<incarnation_entry>(log_store->entries[0].what->body));
}

TEST_F(append_test, the_answer_is_the_verdict_of_the_own_replica) {
  auto answer = set("a", "1");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->at, (position{1, 2}));
  EXPECT_EQ(answer->verdict.kind, verdict_kind::accepted);
  EXPECT_EQ(setting("a"), "1");
  auto refused = append(drop_key_entry{{"nope"}});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->verdict.why.code, errc::unknown_key);
  EXPECT_EQ(log_store->entries[1].what->folded, (position{1, 1}));
  EXPECT_EQ(log_store->entries[1].what->appender, "test");
}

TEST_F(append_test, many_at_once_are_one_message_and_keep_their_order) {
  std::vector<std::shared_ptr<std::optional<outcome<folded>>>> answers;
  for (int i = 0; i < 1000; ++i) answers.push_back(append_later(put_setting_entry{"n", std::to_string(i)}));
  std::uint64_t sequence = 2;
  for (auto& a : answers) {
    ASSERT_TRUE(*a && (*a)->ok());
    EXPECT_EQ((**a)->at.sequence, sequence++);
  }
  EXPECT_EQ(setting("n"), "999");
}

TEST_F(append_test, a_subscriber_gets_the_image_then_every_change_in_order) {
  set("a", "1");
  auto heard = subscribe();
  ASSERT_TRUE(heard->image);
  EXPECT_EQ(heard->image->at, (position{1, 2}));
  EXPECT_EQ(heard->image->admin.settings.at("a"), "1");
  set("b", "1");
  set("b", "2");
  ASSERT_EQ(heard->changes.size(), 2u);
  EXPECT_EQ(heard->changes[0].at, (position{1, 3}));
  EXPECT_EQ(heard->changes[1].at, (position{1, 4}));
  EXPECT_TRUE(heard->changes[1].administration);
  EXPECT_EQ(std::get<put_setting_entry>(heard->changes[1].cause->body).value, "2");
}

TEST_F(append_test, rows_are_read_by_id_and_by_slot) {
  auto spec = std::make_shared<instance_spec>();
  spec->services.emplace_back().image = "test";
  start_entry start;
  start.instance = {"i1"};
  start.owner.user = "alice";
  start.key = {"user:alice"};
  start.spec = {"sha256:x"};
  start.inline_spec = spec;
  auto answer = append(start);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->verdict.kind, verdict_kind::queued);
  ASSERT_TRUE(answer->row);
  EXPECT_EQ(answer->row->queue_position, 1u);
  EXPECT_EQ((*world.answer_now<row_ptr>(ledger, get_instance{{"i1"}}))->key.value, "user:alice");
  EXPECT_EQ((*world.answer_now<row_ptr>(ledger, find_live{{"user:alice"}, "sha256:x"}))->id.value, "i1");
  EXPECT_FALSE(*world.answer_now<row_ptr>(ledger, get_instance{{"i2"}}));
}

TEST_F(append_test, a_lost_append_is_unknown_after_the_timeout) {
  faults->lose_appends = 1;
  auto answer = append_later(put_setting_entry{"a", "1"});
  advance(options.append_timeout - millis{1});
  EXPECT_FALSE(*answer);
  advance(millis{1});
  ASSERT_TRUE(*answer);
  EXPECT_EQ((**answer).error.code, errc::unknown_outcome);
  EXPECT_TRUE(set("b", "1"));
}

TEST_F(append_test, a_lost_acknowledgement_is_answered_by_the_replica) {
  faults->lose_acks = 1;
  auto answer = set("a", "1");
  ASSERT_TRUE(answer);
  EXPECT_EQ(setting("a"), "1");
}

TEST_F(append_test, a_refused_append_is_unavailable_at_once) {
  faults->fail_appends = 1;
  EXPECT_EQ(set("a", "1").error.code, errc::ledger_unavailable);
  EXPECT_TRUE(set("a", "1"));
}

TEST_F(append_test, an_entry_that_the_log_holds_twice_counts_once) {
  faults->duplicate_appends = 1;
  auto heard = subscribe();
  ASSERT_TRUE(set("a", "1"));
  ASSERT_EQ(heard->changes.size(), 2u);
  EXPECT_TRUE(heard->changes[0].administration);
  EXPECT_FALSE(heard->changes[1].administration);
}

TEST_F(append_test, without_its_log_it_reads_and_refuses_appends) {
  set("a", "1");
  caf::anon_send(log, log_connection{false});
  run();
  EXPECT_FALSE(status().connected);
  auto refused = set("a", "2");
  EXPECT_EQ(refused.error.code, errc::ledger_unavailable);
  EXPECT_TRUE(refused.error.retry_after_ms);
  EXPECT_EQ(setting("a"), "1");
  reconnect();
  EXPECT_TRUE(set("a", "3"));
}

TEST_F(append_test, nothing_is_answered_before_it_is_in_the_tail) {
  tail_store->away = true;
  auto answer = append_later(put_setting_entry{"a", "1"});
  advance(millis{600});
  EXPECT_FALSE(*answer);
  EXPECT_EQ(setting("a"), "") << "not folded either";
  EXPECT_EQ(set("b", "1").error.code, errc::ledger_unavailable);
  tail_store->away = false;
  advance(options.retry);
  ASSERT_TRUE(*answer && (*answer)->ok());
  EXPECT_EQ(setting("a"), "1");
  EXPECT_TRUE(set("b", "1"));
}

TEST_F(append_test, the_number_of_appends_under_way_is_bounded) {
  kill();
  options.most_pending = 10;
  boot();
  faults->hold = true;
  std::vector<std::shared_ptr<std::optional<outcome<folded>>>> answers;
  for (int i = 0; i < 12; ++i) answers.push_back(append_later(put_setting_entry{"n", std::to_string(i)}));
  EXPECT_FALSE(*answers[9]);
  ASSERT_TRUE(*answers[10]);
  EXPECT_EQ((**answers[10]).error.code, errc::ledger_unavailable);
  faults->hold = false;
  caf::anon_send(log, release_held{});
  run();
  EXPECT_TRUE(*answers[9] && (*answers[9])->ok());
}

} // namespace
} // namespace poseidon::test
