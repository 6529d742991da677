// Running: extensions, services that die, an engine that goes and comes, logs and stats.

#include "test/actors/instance/instance_fixture.hpp"

using namespace poseidon;
using namespace poseidon::test;

namespace {

struct instance_run : instance_test {
  const running_entry* running_fact() const { return journal->last<running_entry>(); }
};

TEST_F(instance_run, an_extension_moves_deadline_route_and_file_before_it_is_answered) {
  launch_running();
  const auto expires = running_fact()->expires_at;
  advance(300s);
  const auto from = script->trace.size();
  auto answer = extend();
  ASSERT_TRUE(*answer && (*answer)->ok());
  EXPECT_EQ((**answer)->expires_at, expires + 300s);
  EXPECT_EQ((**answer)->extensions_used_ms, 300'000);
  EXPECT_EQ(std::vector<std::string>(script->trace.begin() + static_cast<std::ptrdiff_t>(from), script->trace.end()),
            (std::vector<std::string>{"journal commit running", "route put", "engine refresh"}));
  EXPECT_EQ(*edge->routes.at("abc.localhost").deadline, time.boot_now() + 600s);
  EXPECT_EQ(engine->file_deadline, to_rfc3339(expires + 300s));
  const auto* fact = journal->last<deadline_moved_entry>();
  ASSERT_NE(fact, nullptr);
  EXPECT_EQ(fact->expires_at, expires + 300s);
  EXPECT_EQ(fact->actor, "key:player");
  advance(599'999ms);
  EXPECT_EQ(at(), phase::running) << "never early";
  ASSERT_TRUE(run_until_ended(2s));
}

TEST_F(instance_run, a_near_deadline_is_said_once_and_again_after_an_extension) {
  launch_running();
  const auto expires = running_fact()->expires_at;
  advance(299'999ms);
  EXPECT_EQ(journal->last<expiring_entry>(), nullptr);
  advance(1ms);
  const auto* said = journal->last<expiring_entry>();
  ASSERT_NE(said, nullptr);
  EXPECT_EQ(said->expires_at, expires);
  auto answer = extend();
  ASSERT_TRUE(*answer && (*answer)->ok());
  advance(299'999ms);
  EXPECT_EQ(journal->last<expiring_entry>()->expires_at, expires) << "the new one is not near yet";
  advance(1ms);
  EXPECT_EQ(journal->last<expiring_entry>()->expires_at, expires + 300s);
  advance(299'999ms);
  EXPECT_EQ(at(), phase::running) << "the same timer, not early";
  ASSERT_TRUE(run_until_ended(2s));
}

TEST_F(instance_run, a_life_shorter_than_the_notice_says_nothing) {
  spec->lifetime_ms = 300'000;
  launch_running();
  ASSERT_TRUE(run_until_ended(310s));
  EXPECT_EQ(journal->last<expiring_entry>(), nullptr);
}

TEST_F(instance_run, an_extension_too_early_says_when) {
  launch_running();
  advance(100s);
  auto answer = extend();
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->error.code, errc::extension_refused);
  EXPECT_EQ((*answer)->error.retry_after_ms, 200'000);
  EXPECT_EQ(journal->last<deadline_moved_entry>(), nullptr);
}

TEST_F(instance_run, an_extension_is_refused_under_load) {
  launch_running();
  advance(400s);
  load = 95;
  EXPECT_EQ((*extend())->error.code, errc::extension_refused);
  load = 10;
  EXPECT_TRUE((*extend())->ok());
}

TEST_F(instance_run, two_extensions_at_once_count_once) {
  launch_running();
  advance(300s);
  script->next["commit"] = {holds()};
  auto first = extend(), second = extend();
  script->release();
  run();
  EXPECT_TRUE((*first)->ok());
  ASSERT_TRUE(*second);
  EXPECT_FALSE((*second)->ok());
}

TEST_F(instance_run, an_extension_is_not_answered_while_the_edge_has_the_old_deadline) {
  launch_running();
  advance(300s);
  script->next["put_route"] = {fails(errc::internal), holds()};
  auto answer = extend();
  EXPECT_FALSE(*answer);
  script->release();
  run();
  ASSERT_TRUE(*answer);
  EXPECT_TRUE((*answer)->ok());
}

TEST_F(instance_run, an_edge_that_stays_silent_makes_an_extension_unknown) {
  launch_running();
  advance(300s);
  script->always["put_route"] = fails(errc::internal);
  auto answer = extend();
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->error.code, errc::unknown_outcome);
}

TEST_F(instance_run, only_a_running_one_is_extended) {
  script->always["probe"] = fails(errc::never_healthy);
  launch();
  EXPECT_EQ((*extend())->error.code, errc::instance_not_running);
  script->always["remove"] = loses_request();
  stop();
  EXPECT_EQ((*extend())->error.code, errc::instance_ended);
}

TEST_F(instance_run, a_service_that_dies_is_started_again_under_the_same_url_and_deadline) {
  launch_running();
  const auto before = edge->routes.at("abc.localhost");
  advance(10s);
  engine->exit(key(), 1);
  run();
  EXPECT_EQ(at(), phase::restarting);
  advance(99ms);
  EXPECT_EQ(script->count("engine start_again"), 0u);
  ASSERT_TRUE(run_until(phase::running, 1s));
  const auto after = edge->routes.at("abc.localhost");
  EXPECT_EQ(after.deadline, before.deadline);
  EXPECT_EQ(after.where.container, before.where.container);
  EXPECT_NE(after.where.pid, before.where.pid);
  const auto* fact = journal->last<restarted_entry>();
  ASSERT_NE(fact, nullptr);
  EXPECT_EQ(fact->exit_code, 1);
  EXPECT_EQ(fact->count, 1u);
  EXPECT_EQ(journal->records.at(key())->restarts.size(), 1u);
}

TEST_F(instance_run, a_fourth_death_within_five_minutes_ends_it) {
  launch_running();
  for (int i = 0; i < 3; ++i) {
    engine->exit(key(), 1);
    run();
    ASSERT_TRUE(run_until(phase::running, 10s)) << i;
  }
  engine->exit(key(), 1);
  ASSERT_TRUE(run_until_ended(10s));
  EXPECT_EQ(end_fact()->reason, end_reason::failed);
  EXPECT_EQ(end_fact()->why.code, errc::service_died);
  expect_nothing_left();
}

TEST_F(instance_run, deaths_further_apart_are_forgiven) {
  launch_running();
  for (int i = 0; i < 4; ++i) {
    engine->exit(key(), 1);
    run();
    ASSERT_TRUE(run_until(phase::running, 10s)) << i;
    advance(101s);
  }
  EXPECT_FALSE(ended);
}

TEST_F(instance_run, restart_no_means_no) {
  spec->restart = restart_mode::no;
  launch_running();
  engine->exit(key(), 3);
  ASSERT_TRUE(run_until_ended(5s));
  EXPECT_EQ(end_fact()->why.code, errc::service_died);
  EXPECT_EQ(script->count("engine start_again"), 0u);
}

TEST_F(instance_run, a_service_that_is_done_ends_it_as_stopped) {
  launch_running();
  engine->exit(key(), 0);
  ASSERT_TRUE(run_until_ended(5s));
  EXPECT_EQ(end_fact()->reason, end_reason::stopped);
  EXPECT_EQ(end_fact()->actor, "service:main");
}

TEST_F(instance_run, out_of_memory_is_named) {
  spec->restart = restart_mode::no;
  launch_running();
  engine->exit(key(), 137, true);
  ASSERT_TRUE(run_until_ended(5s));
  EXPECT_EQ(end_fact()->why.code, errc::out_of_memory);
}

TEST_F(instance_run, one_whose_containers_are_gone_gets_new_ones) {
  launch_running();
  engine->exit(key(), 1);
  engine->groups.clear();
  ASSERT_TRUE(run_until(phase::restarting, 1s));
  ASSERT_TRUE(run_until(phase::running, 5s));
  EXPECT_EQ(script->count("engine ensure"), 2u);
}

TEST_F(instance_run, one_that_is_not_healthy_after_a_restart_ends_in_the_end) {
  launch_running();
  script->always["probe"] = fails(errc::never_healthy);
  engine->exit(key(), 1);
  ASSERT_TRUE(run_until_ended(40s));
  EXPECT_EQ(end_fact()->why.code, errc::never_healthy);
  expect_nothing_left();
}

TEST_F(instance_run, the_deadline_comes_while_it_restarts_too) {
  launch_running();
  advance(599s);
  script->always["start_again"] = loses_request();
  engine->exit(key(), 1);
  ASSERT_TRUE(run_until_ended(3s));
  EXPECT_EQ(end_fact()->reason, end_reason::expired);
}

TEST_F(instance_run, an_engine_restart_is_not_the_services_fault) {
  spec->restart = restart_mode::no;
  launch_running();
  for (int i = 0; i < 5; ++i) {
    engine_changes(false);
    engine->exit(key(), 137);
    advance(7s);
    EXPECT_FALSE(ended);
    engine_changes(true);
    ASSERT_TRUE(run_until(phase::running, 10s)) << i;
  }
  EXPECT_TRUE(journal->records.at(key())->restarts.empty()) << "not counted";
  EXPECT_EQ(engine->groups.at(key()).starts, 6);
}

TEST_F(instance_run, exits_of_an_engine_that_is_going_down_are_not_the_services_fault_either) {
  spec->restart = restart_mode::no;
  launch_running();
  engine->exit(key(), 143); // told before the engine is known to be away
  advance(500ms);
  engine_changes(false);
  advance(30s);
  EXPECT_FALSE(ended);
  engine_changes(true);
  ASSERT_TRUE(run_until(phase::running, 10s));
}

TEST_F(instance_run, after_an_engine_restart_with_live_restore_the_route_stays) {
  launch_running();
  const auto before = edge->routes.at("abc.localhost");
  engine_changes(false);
  advance(20s);
  EXPECT_EQ(edge->routes.size(), 1u) << "the data plane outlives the engine";
  engine_changes(true);
  advance(1s);
  EXPECT_EQ(at(), phase::running);
  EXPECT_EQ(edge->routes.at("abc.localhost"), before);
  EXPECT_EQ(script->count("engine start_again"), 0u);
}

TEST_F(instance_run, an_engine_that_lost_it_silently_is_noticed_when_it_is_back) {
  launch_running();
  engine_changes(false);
  engine->exit(key(), 255, false, false);
  engine_changes(true);
  ASSERT_TRUE(run_until(phase::running, 5s));
  EXPECT_EQ(script->count("engine start_again"), 1u);
}

TEST_F(instance_run, it_expires_with_the_engine_away) {
  launch_running();
  engine_changes(false);
  advance(600s);
  EXPECT_TRUE(edge->routes.empty());
  EXPECT_EQ(script->count("engine stop 900"), 1u) << "the runtime can kill by pidfd";
  advance(20s);
  engine_changes(true);
  ASSERT_TRUE(run_until_ended(2s));
  EXPECT_EQ(end_fact()->reason, end_reason::expired);
}

TEST_F(instance_run, logs_and_stats_are_passed_on) {
  launch_running();
  auto logs = world.answer_now<outcome<log_text>>(instance, read_logs{key().instance, {}, 5});
  ASSERT_TRUE(logs && logs->ok());
  EXPECT_EQ((*logs)->text, "last line");
  auto stats = world.answer_now<outcome<group_stats>>(instance, read_stats{key().instance});
  ASSERT_TRUE(stats && stats->ok());
}

TEST_F(instance_run, events_of_another_epoch_are_ignored) {
  launch_running();
  caf::anon_send(instance, service_exited{{key().instance, {1, 3, {9, 9}}}, "main", 1, false});
  run();
  EXPECT_EQ(at(), phase::running);
}

} // namespace
