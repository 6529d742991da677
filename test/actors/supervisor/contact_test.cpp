// A node that stood still or lost the log: it registers anew before it launches or answers anything.

#include "test/actors/supervisor/supervisor_world.hpp"

namespace poseidon {
namespace {

struct contact_test : supervisor_test {
  bool judged = true;

  contact_test() {
    deps.others_judge = [this] { return judged; };
    deps.lost_after = millis{15'000};
  }
  std::size_t registrations() const { return ledger->of<node_up_entry>().size(); }
  /// Away for so long that it registers anew; "a" ends just before that node_up goes out, with what else is to happen then.
  void register_anew_while_a_ends(std::function<void()> then = [] {}) {
    const auto armed = std::make_shared<bool>(false);
    deps.load = [this, armed, then] { // asked for just before the node_up goes out
      if (std::exchange(*armed, false)) {
        const auto& record = *puppets[0]->seed.record;
        ledger->put(ended_entry{{record.instance, record.epoch, deps.node, deps.run, 5}, end_reason::stopped, {}, {}, {}});
        disk->records.clear();
        then();
      }
      return node_load{};
    };
    begin();
    start("a");
    stand_still(millis{8'000});
    *armed = true;
    advance(millis{3'000});
    ASSERT_FALSE(*armed);
  }
  /// The process stands still: time goes on, and nothing of it runs.
  void stand_still(millis span) {
    world.time.advance(span);
    world.scheduler.advance_time(span);
  }
};

TEST_F(contact_test, after_a_pause_it_answers_nothing_until_it_has_registered_anew) {
  begin();
  start("a");
  ASSERT_EQ(registrations(), 1u);
  stand_still(millis{8'000});
  engine->down = true;
  EXPECT_EQ(command<extended>(extend_instance{{"a"}, {}}).error.code, errc::rebuilding);
  EXPECT_EQ(command<done>(stop_instance{{"a"}, end_reason::stopped, {}}).error.code, errc::rebuilding);
  EXPECT_EQ(command<done>(get_instance{{"a"}}).error.code, errc::rebuilding);
  EXPECT_TRUE(puppets[0]->stops.empty());
  EXPECT_EQ(status().trouble.code, errc::rebuilding);
  EXPECT_FALSE(status().registered);
  start("b");
  EXPECT_EQ(puppets.size(), 1u) << "nothing is launched by what an absent node believes";
  engine->down = false;
  advance(millis{6'000});
  EXPECT_EQ(registrations(), 2u);
  EXPECT_TRUE(status().registered);
  EXPECT_EQ(puppets.size(), 2u);
  EXPECT_TRUE(command<extended>(extend_instance{{"a"}, {}}));
}

TEST_F(contact_test, what_was_given_to_others_meanwhile_is_fenced_and_not_answered_for) {
  begin();
  auto row = start("a");
  ledger->put(running_entry{head_of(*row, 1), {1}, {500'000}, {}});
  run();
  stand_still(millis{20'000});
  ledger->put(node_lost_entry{deps.node, deps.run, {}});
  EXPECT_FALSE(command<extended>(extend_instance{{"a"}, {}}));
  EXPECT_EQ(puppets[0]->fences, std::vector<end_reason>{end_reason::lost});
  advance(millis{6'000});
  EXPECT_FALSE(ledger->state.nodes.at(deps.node).row->lost);
  EXPECT_TRUE(status().registered);
}

TEST_F(contact_test, what_ends_while_its_inventory_is_under_way_holds_no_room_for_ever) {
  register_anew_while_a_ends();
  EXPECT_TRUE(status().registered);
  EXPECT_TRUE(ledger->state.withdrawn.empty());
  EXPECT_EQ(ledger->state.nodes.at(deps.node).row->reserved_memory_bytes, 0u);
}

TEST_F(contact_test, until_its_second_inventory_is_folded_nothing_else_makes_it_registered) {
  register_anew_while_a_ends([this] { disk->failing = true; }); // the second one can't be taken yet
  ledger->put(set_node_mode_entry{deps.node, node_mode::cordoned}); // its row changes
  run();
  EXPECT_FALSE(status().registered);
  disk->failing = false;
  advance(deps.longest_retry);
  EXPECT_TRUE(status().registered);
  EXPECT_TRUE(ledger->state.withdrawn.empty());
}

TEST_F(contact_test, a_short_pause_is_none) {
  begin();
  start("a");
  stand_still(millis{7'000});
  EXPECT_TRUE(command<extended>(extend_instance{{"a"}, {}}));
  advance(millis{3'000});
  EXPECT_EQ(registrations(), 1u);
}

TEST_F(contact_test, who_alone_has_lost_the_log_moves_no_deadline_and_stops_all_the_same) {
  begin();
  start("a");
  ledger->away = true;
  advance(millis{8'000});
  EXPECT_TRUE(command<extended>(extend_instance{{"a"}, {}})) << "not for longer than half the loss time yet";
  advance(millis{1'500});
  const auto refused = command<extended>(extend_instance{{"a"}, {}});
  EXPECT_EQ(refused.error.code, errc::ledger_unavailable);
  EXPECT_NE(refused.error.detail.find("no deadline is moved"), std::string::npos) << refused.error.detail;
  EXPECT_TRUE(refused.error.retry_after_ms);
  EXPECT_TRUE(command<done>(stop_instance{{"a"}, end_reason::stopped, {}}));
  judged = false; // the others have lost it as well
  EXPECT_TRUE(command<extended>(extend_instance{{"a"}, {}}));
}

TEST_F(contact_test, a_log_that_was_away_for_long_is_caught_up_with_before_anything_is_launched) {
  begin();
  ledger->away = true;
  advance(millis{10'000});
  ASSERT_EQ(registrations(), 1u);
  ledger->away = false;
  advance(millis{2'000});
  EXPECT_EQ(registrations(), 2u);
  EXPECT_TRUE(status().registered);
  start("a");
  EXPECT_EQ(puppets.size(), 1u);
}

TEST_F(contact_test, a_short_loss_of_the_log_changes_nothing) {
  begin();
  ledger->away = true;
  advance(millis{5'000});
  ledger->away = false;
  advance(millis{5'000});
  EXPECT_EQ(registrations(), 1u);
}

TEST_F(contact_test, where_nobody_else_judges_a_pause_means_nothing) {
  deps.others_judge = {};
  begin();
  start("a");
  stand_still(millis{60'000});
  EXPECT_TRUE(command<extended>(extend_instance{{"a"}, {}}));
  ledger->away = true;
  advance(millis{60'000});
  EXPECT_TRUE(command<extended>(extend_instance{{"a"}, {}}));
  EXPECT_EQ(registrations(), 1u);
}

} // namespace
} // namespace poseidon
