// A log that was torn has forgotten assignments; nodes have not (rules 5, 6, 9).

#include "test/actors/fold/world.hpp"

namespace poseidon {
namespace {

/// What a torn log forgot: assignments after the one that the fold knows.
struct forgotten_move : world {
  struct epoch first, second;
  encoded_snapshot before;
  /// i1 runs on n1; its move is forgotten.
  explicit forgotten_move(move_reason reason) {
    node("n1"), node("n2");
    challenge("web");
    start("alice");
    running("i1");
    first = row("i1").epoch;
    before = encode_snapshot(state);
    move("i1", reason);
    second = row("i1").epoch;
    put(incarnation_entry{2, {2, 2}, {before.bytes}, before.digest}, {2, 1});
  }
  inventory_item copy(const struct epoch& epoch, end_reason ended = end_reason::none) {
    inventory_item i;
    i.instance = {"i1"};
    i.epoch = epoch;
    i.tombstone = ended != end_reason::none;
    i.reason = ended;
    i.running = !i.tombstone;
    if (i.running) i.running_at = wall_time{2000}, i.expires_at = wall_time{62'000};
    return i;
  }
  void up(const std::string& name, std::vector<inventory_item> holds) {
    auto registration = node_up(name);
    registration.inventory = std::move(holds);
    put(registration);
  }
};

TEST(forgotten, a_reset_is_taken_from_the_node_although_it_fenced_the_older_copy) {
  forgotten_move w{move_reason::reset};
  w.up("n1", {w.copy(w.first, end_reason::fenced), w.copy(w.second)});
  EXPECT_EQ(w.row("i1").phase, ledger_phase::running);
  EXPECT_EQ(w.row("i1").epoch, w.second);
  EXPECT_EQ(w.node_of("n1").instances, 1u);
}

TEST(forgotten, a_drain_is_taken_from_its_target_whichever_node_registers_first) {
  for (const bool source_first : {true, false}) {
    forgotten_move w{move_reason::drain};
    if (source_first) w.up("n1", {w.copy(w.first, end_reason::fenced)});
    w.up("n2", {w.copy(w.second)});
    if (!source_first) w.up("n1", {w.copy(w.first, end_reason::fenced)});
    EXPECT_EQ(w.row("i1").phase, ledger_phase::running);
    EXPECT_EQ(w.row("i1").epoch, w.second);
    EXPECT_EQ(w.node_of("n1").instances, 0u);
    EXPECT_EQ(w.node_of("n2").instances, 1u);
  }
}

TEST(forgotten, a_move_that_was_never_begun_is_made_anew) {
  forgotten_move w{move_reason::drain};
  w.up("n1", {w.copy(w.first, end_reason::fenced)});
  EXPECT_EQ(w.row("i1").phase, ledger_phase::queued);
  w.up("n2", {});
  EXPECT_EQ(w.row("i1").phase, ledger_phase::assigned);
}

TEST(forgotten, the_fact_that_the_older_copy_was_fenced_ends_nothing) {
  forgotten_move w{move_reason::reset};
  w.put(ended_entry{{{"i1"}, w.first, {"n1"}, w.run_of("n1"), 9}, end_reason::fenced, {}, {}, ""});
  EXPECT_EQ(w.row("i1").phase, ledger_phase::queued);
  w.up("n1", {w.copy(w.second)});
  EXPECT_EQ(w.row("i1").epoch, w.second);
  EXPECT_EQ(w.node_of("n1").instances, 1u);
}

TEST(forgotten, how_the_later_copy_ended_is_how_the_instance_ended) {
  forgotten_move w{move_reason::reset};
  w.up("n1", {w.copy(w.first, end_reason::fenced), w.copy(w.second, end_reason::failed)});
  EXPECT_EQ(w.row("i1").reason, end_reason::failed);
  EXPECT_EQ(w.node_of("n1").instances, 0u);
}

TEST(forgotten, a_stop_of_the_later_copy_means_the_instance) {
  forgotten_move w{move_reason::drain};
  w.put(ended_entry{{{"i1"}, w.second, {"n2"}, w.run_of("n2"), 9}, end_reason::stopped, {}, {}, "alice"});
  EXPECT_EQ(w.row("i1").stop_mark, end_reason::stopped);
  forgotten_move told{move_reason::drain};
  told.up("n2", {told.copy(told.second, end_reason::stopped)});
  EXPECT_EQ(told.row("i1").stop_mark, end_reason::stopped) << "by a tombstone, too";
}

} // namespace
} // namespace poseidon
