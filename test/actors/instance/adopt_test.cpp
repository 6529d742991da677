// A new run of the process takes over what an earlier one left, phase by phase.

#include "test/actors/instance/instance_fixture.hpp"

using namespace poseidon;
using namespace poseidon::test;

namespace {

struct instance_adopt : instance_test {};

TEST_F(instance_adopt, a_running_one_keeps_url_deadline_and_container) {
  launch_running();
  const auto deadline = *edge->routes.at("abc.localhost").deadline;
  advance(100s);
  crash();
  advance(50s);
  edge->routes.clear();
  adopt();
  ASSERT_EQ(edge->routes.count("abc.localhost"), 1u);
  EXPECT_EQ(edge->routes.at("abc.localhost").deadline, deadline);
  EXPECT_EQ(engine->groups.at(key()).starts, 1);
  EXPECT_EQ(journal->kinds(), (std::vector<std::string>{"running"})) << "said already";
  advance(449'999ms);
  EXPECT_FALSE(ended);
  EXPECT_EQ(edge->routes.size(), 1u);
  ASSERT_TRUE(run_until_ended(2s));
  EXPECT_EQ(end_fact()->reason, end_reason::expired);
  EXPECT_GT(end_fact()->head.number, 1u);
}

TEST_F(instance_adopt, a_near_deadline_is_said_though_nobody_ran_when_it_came_near) {
  launch_running();
  advance(200s);
  crash();
  advance(150s);
  adopt();
  const auto* said = journal->last<expiring_entry>();
  ASSERT_NE(said, nullptr);
  EXPECT_EQ(said->expires_at, journal->last<running_entry>()->expires_at);
}

TEST_F(instance_adopt, an_extension_survives) {
  launch_running();
  advance(300s);
  extend();
  restart_process();
  advance(599s);
  EXPECT_FALSE(ended);
  ASSERT_TRUE(run_until_ended(3s));
}

TEST_F(instance_adopt, what_expired_meanwhile_is_removed_at_once) {
  launch_running();
  crash();
  advance(700s);
  adopt();
  EXPECT_EQ(script->count("engine start_again"), 0u);
  ASSERT_TRUE(run_until_ended(1s));
  EXPECT_EQ(end_fact()->reason, end_reason::expired);
  expect_nothing_left();
}

TEST_F(instance_adopt, after_a_reboot_it_is_started_again_until_its_wall_time) {
  launch_running();
  crash();
  time.advance(100s);
  engine->exit(key(), 255, false, false);
  time.reboot({5'000});
  deps->boot_id = "boot-b";
  adopt();
  ASSERT_TRUE(run_until(phase::running, 5s));
  EXPECT_EQ(engine->groups.at(key()).starts, 2);
  EXPECT_EQ(edge->routes.at("abc.localhost").deadline, (boot_time{5'000 + 500'000}));
  EXPECT_TRUE(journal->records.at(key())->restarts.empty());
}

TEST_F(instance_adopt, a_deadline_known_by_wall_time_counts_on_the_boot_clock_from_then_on) {
  launch_running();
  crash();
  time.reboot({5'000});
  deps->boot_id = "boot-b";
  engine->exit(key(), 255, false, false);
  adopt();
  ASSERT_TRUE(run_until(phase::running, 5s));
  const auto deadline = *edge->routes.at("abc.localhost").deadline;
  time.jump_wall(-60s);
  edge->routes.clear();
  engine_changes(true); // compares, and tells the edge again
  advance(1s);
  EXPECT_EQ(edge->routes.at("abc.localhost").deadline, deadline);
  advance(deadline - time.boot_now() - 1ms);
  EXPECT_FALSE(ended);
  EXPECT_EQ(edge->routes.size(), 1u);
  ASSERT_TRUE(run_until_ended(2s));
  EXPECT_EQ(end_fact()->reason, end_reason::expired);
}

TEST_F(instance_adopt, one_whose_service_died_meanwhile_is_started_again) {
  launch_running();
  crash();
  engine->exit(key(), 1, false, false);
  adopt();
  ASSERT_TRUE(run_until(phase::running, 5s));
  EXPECT_EQ(script->count("engine start_again"), 1u);
}

TEST_F(instance_adopt, with_the_engine_away_it_waits_and_still_expires) {
  launch_running();
  crash();
  engine->away = true;
  adopt();
  advance(600s);
  EXPECT_TRUE(edge->routes.empty());
  engine_changes(true);
  ASSERT_TRUE(run_until_ended(10s));
  EXPECT_EQ(end_fact()->reason, end_reason::expired);
}

TEST_F(instance_adopt, half_made_ones_are_finished) {
  for (auto script_for_crash : {"ensure", "probe", "put_route"}) {
    SCOPED_TRACE(script_for_crash);
    script->next[script_for_crash] = {loses_answer()};
    launch();
    ASSERT_EQ(journal->records.at(key())->phase, phase::assigned);
    restart_process();
    ASSERT_TRUE(run_until(phase::running, 5s));
    EXPECT_EQ(engine->groups.at(key()).starts, 1) << "not doubled";
    stop();
    ASSERT_TRUE(run_until_ended());
    journal->tombstones.clear();
    journal->facts.clear();
    journal->numbers.clear();
    progress.clear();
  }
}

TEST_F(instance_adopt, one_that_was_only_committed_is_started) {
  script->next["ensure"] = {loses_request()};
  launch();
  restart_process();
  ASSERT_TRUE(run_until(phase::running, 5s));
}

TEST_F(instance_adopt, a_stop_that_was_answered_is_carried_out) {
  spec->services[0].stop_grace_ms = 3'000;
  launch_running();
  script->next["stop"] = {loses_request()};
  auto answer = stop();
  ASSERT_TRUE(*answer);
  EXPECT_EQ(journal->records.at(key())->phase, phase::stopping);
  restart_process();
  ASSERT_TRUE(run_until_ended());
  EXPECT_EQ(end_fact()->reason, end_reason::stopped);
  expect_nothing_left();
}

TEST_F(instance_adopt, a_failed_start_stays_refused) {
  script->next["ensure"] = {fails(errc::image_missing, "no such image")};
  script->always["remove"] = loses_request();
  launch();
  EXPECT_EQ(journal->records.at(key())->phase, phase::removing);
  script->always.clear();
  restart_process();
  ASSERT_TRUE(run_until_ended());
  EXPECT_EQ(journal->last<refused_entry>()->why.code, errc::image_missing);
  expect_nothing_left();
}

TEST_F(instance_adopt, a_gone_one_only_waits_for_its_last_fact) {
  launch_running();
  journal->ledger_up = false;
  stop();
  advance(5s);
  ASSERT_EQ(journal->records.at(key())->phase, phase::gone);
  crash();
  const auto asked = script->count("engine");
  adopt();
  journal->ledger_up = true;
  script->next.clear();
  ASSERT_TRUE(run_until_ended(30s));
  EXPECT_EQ(script->count("engine"), asked);
  expect_nothing_left();
}

TEST_F(instance_adopt, one_that_was_restarting_is_started_again) {
  launch_running();
  script->next["start_again"] = {loses_request()};
  engine->exit(key(), 1);
  advance(150ms);
  restart_process();
  ASSERT_TRUE(run_until(phase::running, 5s));
}

TEST_F(instance_adopt, crashes_at_any_moment_lose_nothing) {
  // The process dies after n handled messages, for every n up to the end of the first start.
  for (std::size_t messages = 1; messages < 40; ++messages) {
    SCOPED_TRACE(messages);
    instance = spawn_instance(system, deps, {std::make_shared<const journal_record>(record()), false});
    for (std::size_t i = 0; i < messages && world.scheduler.try_run_once(); ++i) {}
    crash();
    progress.clear();
    if (journal->records.count(key()))
      adopt();
    else
      launch(); // never committed: the ledger assigns it anew
    ASSERT_TRUE(run_until(phase::running, 40s));
    EXPECT_EQ(engine->groups.at(key()).starts, 1);
    ASSERT_TRUE(edge->routes.count("abc.localhost"));
    stop();
    ASSERT_TRUE(run_until_ended());
    expect_nothing_left();
    journal->tombstones.clear();
    journal->facts.clear();
    journal->numbers.clear();
    progress.clear();
    deps->run = {1, 1};
  }
}

} // namespace
