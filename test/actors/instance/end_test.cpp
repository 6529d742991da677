// Ending: stop in each phase, expiry, fencing, and removal that does not succeed at once.

#include "test/actors/instance/instance_fixture.hpp"

using namespace poseidon;
using namespace poseidon::test;

namespace {

struct instance_end : instance_test {
  /// Holds the instance in a phase of its start.
  void launch_until(phase wanted) {
    if (wanted == phase::assigned) script->next["commit"] = {holds()};
    if (wanted == phase::probing) script->always["probe"] = fails(errc::never_healthy);
    const bool in_engine = wanted == phase::pulling || wanted == phase::creating || wanted == phase::starting;
    if (in_engine) script->next["ensure"] = {loses_answer()};
    launch();
    if (wanted == phase::pulling) caf::anon_send(engine->watchers.at(key()), group_progress{key(), group_step::pulling, 1});
    if (wanted == phase::starting) caf::anon_send(engine->watchers.at(key()), group_progress{key(), group_step::starting, {}});
    run();
    if (wanted == phase::restarting) {
      script->next["start_again"] = {loses_request()};
      engine->exit(key(), 1);
      advance(150ms);
    }
    if (wanted != phase::assigned) {
      ASSERT_EQ(at(), wanted);
    }
  }
};

struct stop_in_phase : instance_end, ::testing::WithParamInterface<phase> {};

TEST_P(stop_in_phase, is_answered_after_the_commit_and_leaves_nothing) {
  launch_until(GetParam());
  auto answer = stop(end_reason::solved, "key:platform");
  script->release();
  run();
  ASSERT_TRUE(*answer);
  EXPECT_TRUE((*answer)->ok());
  ASSERT_TRUE(run_until_ended());
  EXPECT_EQ(end_fact()->reason, end_reason::solved);
  EXPECT_EQ(end_fact()->actor, "key:platform");
  const auto* said = journal->last<stopping_entry>();
  ASSERT_NE(said, nullptr);
  EXPECT_EQ(said->reason, end_reason::solved);
  EXPECT_LT(script->find("route end solved"), script->find("engine remove"));
  expect_nothing_left();
}

TEST_P(stop_in_phase, survives_a_crash_right_after_its_answer) {
  launch_until(GetParam());
  script->always["remove"] = loses_request();
  auto answer = stop();
  script->release();
  run();
  ASSERT_TRUE(*answer);
  script->always.clear();
  script->next.clear();
  restart_process();
  ASSERT_TRUE(run_until_ended());
  EXPECT_EQ(end_fact()->reason, end_reason::stopped);
  expect_nothing_left();
}

TEST_P(stop_in_phase, fenced_there_it_goes_without_saying_stopping) {
  launch_until(GetParam());
  caf::anon_send(instance, fence_instance{});
  script->release();
  ASSERT_TRUE(run_until_ended());
  EXPECT_EQ(end_fact()->reason, end_reason::fenced);
  EXPECT_EQ(journal->last<stopping_entry>(), nullptr);
  expect_nothing_left();
}
INSTANTIATE_TEST_SUITE_P(phases, stop_in_phase,
                         ::testing::Values(phase::assigned, phase::pulling, phase::creating, phase::starting, phase::probing, phase::running, phase::restarting),
                         [](auto& tested) { return std::string{to_string(tested.param)}; });

TEST_F(instance_end, a_stop_is_not_answered_before_its_commit) {
  launch_running();
  script->next["commit"] = {holds()};
  auto answer = stop();
  EXPECT_FALSE(*answer);
  script->release();
  run();
  EXPECT_TRUE(*answer);
}

TEST_F(instance_end, a_stop_waits_for_the_ledger_but_not_for_ever) {
  launch_running();
  journal->ledger_up = false;
  script->always["remove"] = loses_request();
  auto answer = stop();
  EXPECT_FALSE(*answer);
  advance(1'999ms);
  EXPECT_FALSE(*answer);
  advance(1ms);
  ASSERT_TRUE(*answer);
  EXPECT_TRUE((*answer)->ok());
}

TEST_F(instance_end, repeated_stops_answer_the_same_and_end_it_once) {
  launch_running();
  spec->services[0].stop_grace_ms = 0;
  script->always["remove"] = loses_request();
  auto first = stop(), second = stop(end_reason::idle, "somebody else"), third = stop();
  for (auto& answer : {first, second, third}) {
    ASSERT_TRUE(*answer);
    EXPECT_TRUE((*answer)->ok());
  }
  script->always.clear();
  ASSERT_TRUE(run_until_ended());
  EXPECT_EQ(end_fact()->reason, end_reason::stopped) << "the first reason stays";
  EXPECT_EQ(journal->kinds(), (std::vector<std::string>{"running", "stopping", "ended"}));
}

TEST_F(instance_end, a_stop_honours_the_grace) {
  spec->services[0].stop_grace_ms = 5'000;
  launch_running();
  stop();
  ASSERT_TRUE(run_until_ended());
  EXPECT_EQ(script->count("engine stop 5000"), 1u);
  EXPECT_LT(script->find("route end"), script->find("engine stop"));
}

TEST_F(instance_end, a_stop_without_grace_is_one_engine_call) {
  launch_running();
  stop();
  ASSERT_TRUE(run_until_ended());
  EXPECT_EQ(script->count("engine stop"), 0u);
  EXPECT_EQ(script->count("engine remove"), 1u);
}

TEST_F(instance_end, a_grace_never_outlives_the_deadline) {
  spec->services[0].stop_grace_ms = 60'000;
  launch_running();
  advance(590s);
  stop();
  run();
  EXPECT_EQ(script->count("engine stop 10900"), 1u);
}

TEST_F(instance_end, expiry_cuts_at_the_millisecond_and_never_early) {
  launch_running();
  advance(599'999ms);
  EXPECT_EQ(at(), phase::running);
  EXPECT_EQ(edge->routes.size(), 1u);
  EXPECT_EQ(script->count("route end"), 0u);
  script->always["remove"] = loses_request();
  advance(1ms);
  EXPECT_TRUE(edge->routes.empty());
  EXPECT_EQ(script->count("engine stop 900"), 1u);
  EXPECT_LT(script->find("route end expired"), script->find("engine stop"));
}

TEST_F(instance_end, expiry_ends_expired) {
  launch_running();
  ASSERT_TRUE(run_until_ended(601s));
  EXPECT_EQ(end_fact()->reason, end_reason::expired);
  EXPECT_EQ(journal->kinds(), (std::vector<std::string>{"running", "expiring", "stopping", "ended"}));
  expect_nothing_left();
}

TEST_F(instance_end, expiry_needs_neither_ledger_nor_journal_nor_edge) {
  launch_running();
  journal->ledger_up = false;
  script->always["commit"] = loses_request();
  script->always["end_route"] = loses_request();
  advance(600'000ms);
  EXPECT_EQ(script->count("engine stop"), 0u) << "the edge has 100 ms";
  advance(100ms);
  EXPECT_EQ(script->count("engine stop 800"), 1u) << "and the kill is not later for it";
  run();
  EXPECT_TRUE(engine->groups.empty());
  EXPECT_FALSE(ended);
  journal->ledger_up = true;
  script->always.clear();
  script->next.clear();
  edge->routes.clear();
  ASSERT_TRUE(run_until_ended());
  EXPECT_EQ(end_fact()->reason, end_reason::expired);
}

TEST_F(instance_end, expiry_goes_on_to_remove_when_the_engine_does_not_answer_the_stop) {
  launch_running();
  script->always["stop"] = loses_request();
  ASSERT_TRUE(run_until_ended(620s));
  EXPECT_EQ(script->count("engine remove"), 1u);
  EXPECT_EQ(end_fact()->reason, end_reason::expired);
}

TEST_F(instance_end, removal_is_tried_until_nothing_is_left) {
  launch_running();
  script->next["remove"] = {fails(errc::engine_error), fails(errc::engine_timeout), loses_request()};
  stop();
  EXPECT_EQ(end_fact(), nullptr);
  ASSERT_TRUE(run_until_ended(120s));
  EXPECT_EQ(script->count("engine remove"), 4u);
  expect_nothing_left();
}

TEST_F(instance_end, removal_waits_for_an_engine_that_is_away_and_goes_on_when_it_is_back) {
  launch_running();
  engine_changes(false);
  stop();
  advance(100s);
  EXPECT_FALSE(ended);
  EXPECT_EQ(end_fact(), nullptr) << "the slot is not free while a container may be left";
  engine_changes(true);
  ASSERT_TRUE(run_until_ended(1s));
  expect_nothing_left();
}

TEST_F(instance_end, logs_are_kept_before_removal_when_wanted) {
  spec->capture_logs = true;
  launch_running();
  stop();
  ASSERT_TRUE(run_until_ended());
  EXPECT_EQ(kept_logs, "last line");
  EXPECT_LT(script->find("engine logs"), script->find("engine remove"));
}

TEST_F(instance_end, keeping_logs_is_bounded) {
  spec->capture_logs = true;
  launch_running();
  script->always["logs"] = loses_request();
  stop();
  ASSERT_TRUE(run_until_ended(10s));
  EXPECT_EQ(kept_logs, "");
  expect_nothing_left();
}

TEST_F(instance_end, the_record_is_kept_until_its_last_fact_is_folded) {
  launch_running();
  journal->ledger_up = false;
  stop();
  advance(60s);
  EXPECT_FALSE(ended);
  EXPECT_EQ(journal->records.at(key())->phase, phase::gone);
  EXPECT_TRUE(journal->tombstones.empty());
  journal->ledger_up = true;
  script->next.clear();
  ASSERT_TRUE(run_until_ended(20s));
  expect_nothing_left();
}

TEST_F(instance_end, it_quits_normally) {
  launch_running();
  stop();
  ASSERT_TRUE(run_until_ended());
  EXPECT_FALSE(end_reason_seen);
}

TEST_F(instance_end, a_fence_after_a_stop_changes_nothing) {
  spec->services[0].stop_grace_ms = 5'000;
  launch_running();
  script->next["stop"] = {holds()};
  stop();
  caf::anon_send(instance, fence_instance{});
  run();
  script->release();
  ASSERT_TRUE(run_until_ended());
  EXPECT_EQ(end_fact()->reason, end_reason::stopped);
}

TEST_F(instance_end, told_to_exit_it_leaves_everything_as_it_is) {
  launch_running();
  caf::anon_send_exit(instance, caf::exit_reason::user_shutdown);
  run();
  EXPECT_TRUE(ended);
  EXPECT_EQ(engine->groups.size(), 1u);
  EXPECT_EQ(edge->routes.size(), 1u);
  EXPECT_EQ(journal->records.at(key())->phase, phase::running);
}

} // namespace
