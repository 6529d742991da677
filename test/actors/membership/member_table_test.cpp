#include "actors/membership/member_table.hpp"

#include <gtest/gtest.h>

namespace poseidon {
namespace {

constexpr run_id first_run{1, 1}, second_run{2, 2};

struct member_table_test : ::testing::Test {
  member_limits limits{millis{3'000}, millis{15'000}, "key"};
  member_table table{limits};
  boot_time now{100'000};
  std::vector<std::shared_ptr<const node_row>> nodes;

  heartbeat beat(const std::string& name, run_id run = first_run, bool with_node = true) {
    heartbeat said;
    said.process = name;
    said.run = run;
    said.key_check = "key";
    if (with_node) said.node = node_status{.node = {name}, .run = run, .runtime = {}, .capacity = {}, .trouble = {}, .images = {}};
    return said;
  }
  void row(const std::string& name, run_id run = first_run, bool lost = false) {
    auto made = std::make_shared<node_row>();
    made->name = {name};
    made->run = run;
    made->lost = lost;
    nodes.push_back(std::move(made));
  }
  void connect() {
    table.bus(true, now);
    table.log(true, now);
    table.tick(now);
  }
  /// A second at a time, as its actor ticks; `each` speaks for whoever is alive.
  template <class Each>
  void pass(int seconds, Each each) {
    for (; seconds > 0; --seconds) {
      now = now + millis{1'000};
      table.tick(now);
      each();
    }
  }
  void pass(int seconds) {
    pass(seconds, [] {});
  }
  std::size_t lost() { return table.lost(nodes, now, wall_time{1'000'000'000}).size(); }
};

TEST_F(member_table_test, a_silent_node_is_lost_after_the_loss_time_not_earlier) {
  row("n1");
  row("n2");
  connect();
  table.heard(beat("n1"), now);
  table.heard(beat("n2"), now);
  pass(14, [&] { table.heard(beat("n2"), now); });
  EXPECT_EQ(lost(), 0u);
  pass(1, [&] { table.heard(beat("n2"), now); });
  const auto found = table.lost(nodes, now, wall_time{1'000'000'000});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].node.value, "n1");
  EXPECT_EQ(found[0].run, first_run);
  EXPECT_EQ(found[0].last_heartbeat.ms, 1'000'000'000 - 15'000);
}

TEST_F(member_table_test, what_is_lost_already_is_not_lost_again_and_an_entry_is_repeated_only_after_a_while) {
  row("n1");
  row("gone", first_run, true);
  connect();
  pass(15);
  EXPECT_EQ(lost(), 1u);
  pass(1);
  EXPECT_EQ(lost(), 0u);
  pass(4);
  EXPECT_EQ(lost(), 1u); // not folded: once more
}

TEST_F(member_table_test, silence_counts_from_the_own_last_reconnect_of_bus_and_log) {
  row("n1");
  EXPECT_EQ(lost(), 0u);
  table.bus(true, now);
  pass(60);
  EXPECT_EQ(lost(), 0u); // no log
  table.log(true, now);
  pass(14);
  EXPECT_EQ(lost(), 0u);
  table.bus(false, now);
  pass(5);
  table.bus(true, now);
  pass(14);
  EXPECT_EQ(lost(), 0u);
  table.log(false, now);
  pass(1);
  EXPECT_EQ(lost(), 0u);
  table.log(true, now);
  pass(15);
  EXPECT_EQ(lost(), 1u);
}

TEST_F(member_table_test, whoever_was_paused_himself_declares_nobody_lost) {
  row("n1");
  connect();
  table.heard(beat("n1"), now);
  pass(3);
  now = now + millis{60'000}; // the process stood still, and the others' heartbeats wait in its queue
  table.tick(now);
  EXPECT_EQ(lost(), 0u);
  pass(14);
  EXPECT_EQ(lost(), 0u);
  pass(1);
  EXPECT_EQ(lost(), 1u);
}

TEST_F(member_table_test, a_short_gap_is_no_pause) {
  row("n1");
  connect();
  table.heard(beat("n1"), now);
  for (int i = 0; i < 3; ++i) {
    now = now + millis{5'000};
    table.tick(now);
  }
  EXPECT_EQ(lost(), 1u);
}

TEST_F(member_table_test, another_runs_heartbeat_does_not_speak_for_a_node) {
  row("n1", second_run);
  connect();
  pass(15, [&] { table.heard(beat("n1", first_run), now); });
  EXPECT_EQ(lost(), 1u);
}

TEST_F(member_table_test, a_process_whose_node_does_not_answer_does_not_speak_for_it) {
  row("n1");
  connect();
  table.heard(beat("n1"), now);
  pass(4, [&] { table.heard(beat("n1", first_run, false), now); });
  ASSERT_EQ(table.members(now).size(), 1u);
  EXPECT_TRUE(table.members(now)[0].suspect);
  pass(11, [&] { table.heard(beat("n1", first_run, false), now); });
  EXPECT_EQ(lost(), 1u);
}

TEST_F(member_table_test, another_cluster_key_makes_no_member) {
  auto stranger = beat("n9");
  stranger.key_check = "another";
  EXPECT_FALSE(table.heard(stranger, now));
  EXPECT_TRUE(table.members(now).empty());
}

TEST_F(member_table_test, members_become_suspect_and_are_forgotten) {
  table.heard(beat("n1"), now);
  table.heard(beat("n1", second_run), now); // two processes of one machine may share a name
  EXPECT_EQ(table.members(now).size(), 2u);
  pass(3);
  EXPECT_FALSE(table.members(now)[0].suspect);
  pass(1);
  EXPECT_TRUE(table.members(now)[0].suspect);
  pass(600);
  EXPECT_TRUE(table.members(now).empty());
}

TEST_F(member_table_test, the_common_fold_version_is_the_oldest_of_all_who_were_heard_in_the_loss_time) {
  row("n1");
  row("n2");
  connect();
  const auto speak = [&](std::uint32_t n1, std::uint32_t n2) {
    auto one = beat("n1"), two = beat("n2");
    one.fold_version = n1;
    two.fold_version = n2;
    table.heard(one, now);
    table.heard(two, now);
  };
  const auto common = [&] { return table.common_fold_version(nodes, now); };
  pass(14, [&] { speak(2, 2); });
  EXPECT_EQ(common(), std::nullopt) << "it has not listened for long enough";
  pass(1, [&] { speak(2, 1); });
  EXPECT_EQ(common(), 1u);
  pass(1, [&] { speak(3, 2); });
  EXPECT_EQ(common(), 2u);
  auto old_gateway = beat("g1", first_run, false);
  table.heard(old_gateway, now);
  EXPECT_EQ(common(), 1u) << "who has no node counts too";
  pass(16, [&] { speak(3, 2); });
  EXPECT_EQ(common(), 2u) << "the old one is gone for the whole loss time";
}

TEST_F(member_table_test, a_node_that_is_not_lost_and_not_heard_has_no_version_yet) {
  row("n1");
  row("n2");
  connect();
  pass(20, [&] { table.heard(beat("n1"), now); });
  EXPECT_EQ(table.common_fold_version(nodes, now), std::nullopt);
  nodes.pop_back();
  row("n2", first_run, true); // declared lost
  EXPECT_EQ(table.common_fold_version(nodes, now), 1u);
  nodes.pop_back();
  row("n1", second_run); // registered anew, and not heard in that run
  EXPECT_EQ(table.common_fold_version(nodes, now), std::nullopt);
}

} // namespace
} // namespace poseidon
