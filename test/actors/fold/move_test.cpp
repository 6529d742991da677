// Moves (rule 4) and refusals (rule 2): reset keeps node and reservation, drain and re-creation keep the old copy's until
// its node says ended; no effect on another epoch, a marked one, a queued one, or behind a closed gate.

#include "test/actors/fold/world.hpp"

namespace poseidon {
namespace {

struct two_nodes : world {
  two_nodes() {
    node("n1"), node("n2");
    challenge("web");
    start("alice");
    running("i1");
    first = row("i1").epoch;
  }
  struct epoch first;
  fact_head old_head(std::uint64_t number) { return {{"i1"}, first, {"n1"}, run_of("n1"), number}; }
};

TEST(move, a_reset_stays_on_its_node_with_its_reservation) {
  two_nodes w;
  EXPECT_EQ(w.move("i1", move_reason::reset).kind, verdict_kind::accepted);
  const auto& row = w.row("i1");
  EXPECT_EQ(row.phase, ledger_phase::assigned);
  EXPECT_EQ(row.node.value, "n1");
  EXPECT_GT(row.epoch, w.first);
  EXPECT_FALSE(row.running_at);
  EXPECT_EQ(w.node_of("n1").instances, 1u);
  EXPECT_EQ(w.node_of("n2").instances, 0u);
  // The old copy's last word changes nothing.
  EXPECT_EQ(w.put(ended_entry{w.old_head(9), end_reason::fenced, {}, {}, ""}).kind, verdict_kind::without_effect);
  EXPECT_EQ(w.node_of("n1").instances, 1u);
  EXPECT_EQ(w.put(running_entry{w.head("i1", 1), {1}, {2}, {}}).kind, verdict_kind::accepted) << "facts count anew";
}

TEST(move, keeps_the_time_that_the_entry_says) {
  two_nodes w;
  w.put(move_entry{{"i1"}, w.first, move_reason::reset, wall_time{99'000}, 1234, "key:x", {}});
  EXPECT_EQ(w.row("i1").expires_at->ms, 99'000);
  EXPECT_EQ(w.row("i1").extensions_used_ms, 1234);
}

TEST(move, a_drain_goes_elsewhere_and_the_old_copy_stays_reserved) {
  two_nodes w;
  EXPECT_EQ(w.move("i1", move_reason::drain).kind, verdict_kind::accepted);
  EXPECT_EQ(w.row("i1").node.value, "n2");
  EXPECT_EQ(w.node_of("n1").instances, 1u);
  EXPECT_EQ(w.node_of("n2").instances, 1u);
  w.put(ended_entry{w.old_head(9), end_reason::fenced, {}, {}, ""});
  EXPECT_EQ(w.node_of("n1").instances, 0u);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::assigned);
  EXPECT_FALSE(w.row("i1").stop_mark);
}

TEST(move, fenced_releases_once) {
  two_nodes w;
  w.move("i1", move_reason::drain);
  w.put(ended_entry{w.old_head(9), end_reason::fenced, {}, {}, ""});
  w.put(ended_entry{w.old_head(9), end_reason::fenced, {}, {}, ""});
  EXPECT_EQ(w.node_of("n1").instances, 0u);
  EXPECT_TRUE(w.state.withdrawn.empty());
}

TEST(move, a_drain_without_room_leaves_it_where_it_is) {
  two_nodes w;
  w.put(set_node_mode_entry{{"n2"}, node_mode::cordoned});
  EXPECT_EQ(w.move("i1", move_reason::drain).why.code, errc::capacity_exhausted);
  EXPECT_EQ(w.row("i1").epoch, w.first);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::running);
}

TEST(move, a_recreation_without_room_queues_again) {
  two_nodes w;
  w.put(set_node_mode_entry{{"n1"}, node_mode::cordoned});
  w.put(set_node_mode_entry{{"n2"}, node_mode::cordoned});
  EXPECT_EQ(w.move("i1", move_reason::recreate).kind, verdict_kind::queued);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::queued);
  EXPECT_TRUE(w.row("i1").epoch.empty());
  EXPECT_EQ(w.node_of("n1").instances, 1u) << "its copy may be there";
  w.put(set_node_mode_entry{{"n2"}, node_mode::ready});
  EXPECT_EQ(w.row("i1").node.value, "n2");
  EXPECT_GT(w.row("i1").epoch, w.first);
}

TEST(move, has_no_effect_on_another_epoch_a_marked_or_a_queued_one) {
  two_nodes w;
  w.move("i1", move_reason::reset);
  EXPECT_EQ(w.put(move_entry{{"i1"}, w.first, move_reason::reset, {}, 0, "", {}}).why.code, errc::superseded);
  w.cancel("i1");
  EXPECT_EQ(w.move("i1", move_reason::reset).kind, verdict_kind::without_effect);
  w.ended("i1");
  EXPECT_EQ(w.move("i1", move_reason::reset).why.code, errc::instance_ended);
  EXPECT_EQ(w.put(move_entry{{"nope"}, {}, move_reason::reset, {}, 0, "", {}}).why.code, errc::unknown_instance);
}

TEST(move, a_stop_said_by_the_old_copy_means_the_instance) {
  two_nodes w;
  w.move("i1", move_reason::drain);
  w.put(stopping_entry{w.old_head(9), end_reason::solved, "player"});
  EXPECT_EQ(w.row("i1").stop_mark, end_reason::solved);
  EXPECT_EQ(w.row("i1").stopped_by, "player");
  w.put(ended_entry{w.old_head(10), end_reason::solved, {}, {}, "player"});
  EXPECT_EQ(w.node_of("n1").instances, 0u);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::stopping) << "the present copy's node ends it";
  w.ended("i1", end_reason::fenced);
  EXPECT_EQ(w.row("i1").reason, end_reason::solved);
}

TEST(move, an_expired_old_copy_does_not_end_a_newer_one_that_runs) {
  two_nodes w;
  w.move("i1", move_reason::recreate);
  w.running("i1");
  w.put(stopping_entry{w.old_head(9), end_reason::expired, ""});
  EXPECT_FALSE(w.row("i1").stop_mark) << "its deadline is its own, and may have been moved";
  w.put(ended_entry{w.old_head(10), end_reason::expired, {}, {}, ""});
  EXPECT_EQ(w.row("i1").phase, ledger_phase::running);
  EXPECT_EQ(w.node_of("n1").instances, 0u);
}

TEST(move, an_expired_old_copy_ends_a_newer_one_that_has_no_deadline_yet) {
  for (const bool has : {true, false}) {
    two_nodes w;
    move_entry move{{"i1"}, w.row("i1").epoch, move_reason::recreate, {}, 0, "", {}};
    if (has) move.expires_at = w.row("i1").expires_at;
    w.put(move);
    w.put(ended_entry{w.old_head(9), end_reason::expired, {}, {}, ""});
    EXPECT_EQ(w.row("i1").stop_mark.has_value(), !has);
  }
}

TEST(move, an_expired_old_copy_ends_the_queued_instance) {
  two_nodes w;
  w.put(set_node_mode_entry{{"n1"}, node_mode::cordoned});
  w.put(set_node_mode_entry{{"n2"}, node_mode::cordoned});
  w.move("i1", move_reason::recreate);
  w.put(ended_entry{w.old_head(9), end_reason::expired, {}, {}, ""});
  EXPECT_EQ(w.row("i1").phase, ledger_phase::ended);
  EXPECT_EQ(w.row("i1").reason, end_reason::expired);
  EXPECT_EQ(w.node_of("n1").instances, 0u);
}

TEST(move, the_lost_node_of_the_old_copy_releases_it) {
  two_nodes w;
  w.move("i1", move_reason::drain);
  w.lose("n1");
  EXPECT_TRUE(w.state.withdrawn.empty());
  EXPECT_EQ(w.node_of("n1").instances, 0u);
  EXPECT_EQ(w.row("i1").node.value, "n2");
}

TEST(refused, tries_the_other_nodes_then_fails) {
  two_nodes w;
  w.challenge("b");
  w.start("bob", "b");
  const auto first = w.row("i2").node.value;
  w.put(refused_entry{w.head("i2"), {errc::image_missing, "no such image", {}, {}, {}}});
  EXPECT_EQ(w.row("i2").phase, ledger_phase::assigned);
  EXPECT_NE(w.row("i2").node.value, first);
  EXPECT_EQ(w.row("i2").excluded, (std::vector<node_name>{{first}}));
  w.put(refused_entry{w.head("i2"), {errc::image_denied, "denied", {}, {}, {}}});
  EXPECT_EQ(w.row("i2").phase, ledger_phase::ended);
  EXPECT_EQ(w.row("i2").reason, end_reason::failed);
  EXPECT_EQ(w.row("i2").why->code, errc::image_denied);
  EXPECT_EQ(w.node_of("n1").instances + w.node_of("n2").instances, 1u);
}

TEST(refused, a_marked_one_has_ended) {
  two_nodes w;
  w.start("bob");
  w.cancel("i2");
  w.put(refused_entry{w.head("i2"), {errc::no_space, "full", {}, {}, {}}});
  EXPECT_EQ(w.row("i2").reason, end_reason::stopped);
}

TEST(refused, of_another_assignment_has_no_effect) {
  two_nodes w;
  w.move("i1", move_reason::reset);
  EXPECT_EQ(w.put(refused_entry{w.old_head(1), {errc::no_space, "", {}, {}, {}}}).why.code, errc::superseded);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::assigned);
}

TEST(refused, what_others_refused_is_settled_once_it_runs) {
  two_nodes w;
  w.start("bob");
  w.put(refused_entry{w.head("i2"), {errc::image_missing, "no such image", {}, {}, {}}});
  EXPECT_TRUE(w.row("i2").why);
  w.running("i2");
  EXPECT_FALSE(w.row("i2").why);
}

} // namespace
} // namespace poseidon
