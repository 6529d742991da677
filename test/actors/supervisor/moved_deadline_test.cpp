// The deadline of an instance that comes from a node whose clock differs.

#include "test/actors/supervisor/supervisor_world.hpp"

namespace poseidon {
namespace {

/// An instance comes from n2, whose clock is an hour ahead.
struct moved_here : supervisor_test {
  std::optional<millis> ahead = millis{3'600'000};
  static constexpr std::int64_t lifetime_ms = 3'600'000, used_ms = 60'000;
  std::int64_t said = 0; ///< the deadline by n2's clock

  moved_here() {
    deps.clock_ahead = [this](const node_name& name) { return name == node_name{"n2"} ? ahead : std::nullopt; };
    ledger->put_node("n2", {2, 2});
  }
  void mode(const std::string& node, node_mode what) { ledger->put(set_node_mode_entry{{node}, what, 0, false}); }
  void run_on_n2() {
    start("a");
    auto row = ledger->row("a");
    ASSERT_EQ(row->node, node_name{"n2"});
    said = time.wall_now().ms + ahead.value_or(millis{0}).count() + 1'000'000;
    ledger->put(running_entry{{row->id, row->epoch, row->node, {2, 2}, 1}, {1}, {said}, {}});
  }
  void move(move_reason reason) {
    ledger->put(move_entry{{"a"}, ledger->row("a")->epoch, reason, wall_time{said}, used_ms, "", {}});
    run();
  }
  void move_here() {
    mode("n2", node_mode::draining);
    move(move_reason::drain);
    ASSERT_EQ(ledger->row("a")->node, node_name{"n1"});
  }
  std::int64_t left() { return puppets.at(0)->seed.record->deadline->wall.ms - time.wall_now().ms; }
};

TEST_F(moved_here, its_deadline_is_translated_from_the_clock_of_the_node_that_said_it) {
  run_on_n2();
  begin();
  move_here();
  EXPECT_EQ(left(), 1'000'000);
}

TEST_F(moved_here, a_deadline_by_a_clock_that_was_never_heard_is_late_and_never_early) {
  run_on_n2();
  ahead.reset();
  begin();
  move_here();
  EXPECT_EQ(left(), lifetime_ms + used_ms);
}

TEST_F(moved_here, a_deadline_that_came_before_this_process_was_there_is_late_and_never_early) {
  run_on_n2();
  mode("n2", node_mode::cordoned);
  move(move_reason::recreate);
  ASSERT_EQ(ledger->row("a")->phase, ledger_phase::queued);
  begin();
  ASSERT_EQ(ledger->row("a")->node, node_name{"n1"});
  EXPECT_EQ(left(), lifetime_ms + used_ms);
}

} // namespace
} // namespace poseidon
