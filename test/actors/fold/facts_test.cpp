// Facts of nodes (rules 3, 7): numbers, other assignments, what each says; entry ids and stale appenders (rule 11).

#include "test/actors/fold/world.hpp"

namespace poseidon {
namespace {

TEST(facts, repeated) {
  one_node w;
  w.start("alice");
  w.put(running_entry{w.head("i1", 1), {1000}, {61'000}, {}});
  w.put(deadline_moved_entry{w.head("i1", 2), {90'000}, 30'000, "alice"});
  const auto v = w.put(running_entry{w.head("i1", 1), {1000}, {61'000}, {}});
  EXPECT_EQ(v.kind, verdict_kind::without_effect);
  EXPECT_EQ(v.why.code, errc::stale);
  EXPECT_EQ(w.row("i1").expires_at->ms, 90'000) << "the older deadline does not come back";
  EXPECT_EQ(w.row("i1").extensions_used_ms, 30'000);
}

TEST(facts, another_run_numbers_anew) {
  one_node w;
  w.start("alice");
  w.put(running_entry{w.head("i1", 5), {1000}, {61'000}, {}});
  auto head = w.head("i1", 1);
  head.run = {99, 99};
  EXPECT_EQ(w.put(deadline_moved_entry{head, {70'000}, 9'000, ""}).kind, verdict_kind::accepted);
}

TEST(facts, of_another_node_or_a_future_epoch_have_no_effect) {
  one_node w;
  w.start("alice");
  auto other = w.head("i1", 1);
  other.node = {"n9"};
  EXPECT_EQ(w.put(running_entry{other, {1}, {2}, {}}).kind, verdict_kind::without_effect);
  auto future = w.head("i1", 1);
  future.epoch.sequence += 100;
  EXPECT_EQ(w.put(ended_entry{future, end_reason::stopped, {}, {}, ""}).kind, verdict_kind::without_effect);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::assigned);
  EXPECT_FALSE(w.row("i1").stop_mark);
}

TEST(facts, restarted_counts) {
  one_node w;
  w.start("alice");
  w.running("i1");
  w.put(restarted_entry{w.head("i1"), "main", 1, 2});
  EXPECT_EQ(w.row("i1").restarts, 2u);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::running);
}

TEST(facts, a_near_deadline_is_said_once) {
  one_node w;
  w.start("alice");
  w.put(running_entry{w.head("i1"), {1000}, {61'000}, {}});
  EXPECT_EQ(w.put(expiring_entry{w.head("i1"), {60'000}}).kind, verdict_kind::without_effect) << "of a deadline that it does not have";
  EXPECT_EQ(w.put(expiring_entry{w.head("i1"), {61'000}}).kind, verdict_kind::accepted);
  const auto again = w.put(expiring_entry{w.head("i1"), {61'000}});
  EXPECT_EQ(again.kind, verdict_kind::without_effect) << "the next run of the node does not know that it was said";
  EXPECT_EQ(again.why.code, errc::stale);
  w.put(deadline_moved_entry{w.head("i1"), {90'000}, 29'000, "alice"});
  EXPECT_EQ(w.put(expiring_entry{w.head("i1"), {90'000}}).kind, verdict_kind::accepted) << "another deadline, another notice";
}

TEST(facts, stopping_marks) {
  one_node w;
  w.start("alice");
  w.running("i1");
  w.put(stopping_entry{w.head("i1"), end_reason::stopped, "alice"});
  EXPECT_EQ(w.row("i1").phase, ledger_phase::stopping);
  EXPECT_EQ(w.row("i1").stop_mark, end_reason::stopped);
  EXPECT_EQ(api_state(w.row("i1")), instance_state::stopping);
  EXPECT_EQ(w.start("alice").kind, verdict_kind::queued);
}

TEST(facts, ended_says_why_and_by_whom) {
  one_node w;
  w.start("alice");
  w.put(ended_entry{w.head("i1"), end_reason::failed, {errc::exited_at_start, "exit 1", {}, {}, "last words"}, {7000}, ""});
  EXPECT_EQ(w.row("i1").reason, end_reason::failed);
  ASSERT_TRUE(w.row("i1").why);
  EXPECT_EQ(w.row("i1").why->log_tail, "last words");
  EXPECT_EQ(w.row("i1").ended_at->ms, 7000);
  EXPECT_EQ(w.ended("i1").why.code, errc::instance_ended);
}

TEST(repeats, an_entry_id_counts_once) {
  one_node w;
  w.start("alice");
  auto again = w.log.back();
  again.at.sequence = w.next_sequence;
  w.ended("i1");
  again.at.sequence = w.next_sequence;
  EXPECT_EQ(w.put(again).why.code, errc::stale);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::ended);
  EXPECT_EQ(w.state.at, again.at) << "its position counts";
}

TEST(repeats, a_position_is_folded_once) {
  one_node w;
  w.start("alice");
  const auto digest = encode_snapshot(w.state).digest;
  EXPECT_EQ(w.put(w.log.back()).kind, verdict_kind::without_effect);
  EXPECT_EQ(encode_snapshot(w.state).digest, digest);
}

TEST(repeats, an_appender_too_far_behind_is_stale) {
  one_node w;
  w.folded = w.state.at;
  w.next_sequence += seen_entries::capacity - 1;
  EXPECT_EQ(w.start("alice").kind, verdict_kind::accepted);
  w.next_sequence += 1;
  EXPECT_EQ(w.start("bob").why.code, errc::stale);
  w.folded.reset();
  EXPECT_EQ(w.start("bob").kind, verdict_kind::accepted);
}

TEST(repeats, the_distance_counts_across_an_incarnation) {
  one_node w;
  w.folded = w.state.at;
  const auto snapshot = encode_snapshot(w.state);
  w.put(incarnation_entry{2, {2, 2}, {snapshot.bytes}, snapshot.digest}, {2, 1});
  w.put(w.node_up("n1"));
  EXPECT_EQ(w.start("alice").kind, verdict_kind::accepted);
  w.next_sequence += seen_entries::capacity;
  EXPECT_EQ(w.start("bob").why.code, errc::stale);
  w.folded = position{0, 5};
  w.next_sequence = w.state.at.sequence + 1;
  EXPECT_EQ(w.start("bob").why.code, errc::stale) << "of an incarnation before the last";
}

TEST(repeats, the_ring_forgets_the_oldest) {
  seen_entries seen;
  for (std::uint64_t i = 1; i <= seen_entries::capacity + 10; ++i) seen.add({1, i});
  EXPECT_FALSE(seen.contains({1, 10}));
  EXPECT_TRUE(seen.contains({1, 11}));
  EXPECT_TRUE(seen.contains({1, seen_entries::capacity + 10}));
  EXPECT_EQ(seen.ordered().size(), seen_entries::capacity);
  EXPECT_EQ(seen.ordered().front(), (entry_id{1, 11}));
}

} // namespace
} // namespace poseidon
