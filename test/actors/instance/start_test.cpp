// Starting: the good way, and everything that can go wrong on it.

#include "test/actors/instance/instance_fixture.hpp"

using namespace poseidon;
using namespace poseidon::test;

namespace {

struct instance_start : instance_test {};

TEST_F(instance_start, goes_journal_engine_probe_edge_and_says_running) {
  launch();
  EXPECT_EQ(script->trace, (std::vector<std::string>{"route announce", "journal commit assigned", "engine ensure", "probe", "route put",
                                                     "journal commit running", "engine refresh"}));
  const auto* fact = journal->last<running_entry>();
  ASSERT_NE(fact, nullptr);
  EXPECT_EQ(fact->expires_at - fact->running_at, 600'000ms);
  EXPECT_EQ(fact->head.number, 1u);
  EXPECT_EQ(fact->head.node, deps->node);
  ASSERT_EQ(fact->ports.size(), 1u);
  EXPECT_EQ(fact->ports[0].port, 8000);
  const auto& r = edge->routes.at("abc.localhost");
  EXPECT_EQ(r.epoch, key().epoch);
  EXPECT_EQ(r.machine, deps->machine);
  ASSERT_TRUE(r.deadline);
  EXPECT_EQ(*r.deadline, time.boot_now() + 600'000ms);
  EXPECT_FALSE(engine->file_deadline.empty());
}

TEST_F(instance_start, asks_the_engine_only_once_the_journal_has_it) {
  script->next["commit"] = {holds()};
  launch();
  EXPECT_EQ(script->count("engine"), 0u);
  script->release();
  run();
  EXPECT_EQ(script->count("engine ensure"), 1u);
}

TEST_F(instance_start, a_journal_that_fails_is_asked_again) {
  script->next["commit"] = {fails(errc::no_space), fails(errc::no_space)};
  launch();
  EXPECT_EQ(script->count("engine"), 0u);
  ASSERT_TRUE(run_until(phase::running, 5s));
  EXPECT_GE(script->count("journal commit assigned"), 3u);
}

TEST_F(instance_start, a_lost_commit_answer_is_asked_for_again) {
  script->next["commit"] = {loses_answer()};
  launch();
  ASSERT_TRUE(run_until(phase::running, 10s));
  EXPECT_EQ(journal->kinds(), (std::vector<std::string>{"running"}));
}

TEST_F(instance_start, shows_the_engines_progress) {
  script->next["ensure"] = {holds()};
  launch();
  const group_watcher watcher = engine->watchers.at(key());
  caf::anon_send(watcher, group_progress{key(), group_step::pulling, 43});
  run();
  EXPECT_EQ(progress.back().phase, phase::pulling);
  EXPECT_EQ(progress.back().percent, 43u);
  caf::anon_send(watcher, group_progress{key(), group_step::creating, {}});
  caf::anon_send(watcher, group_progress{key(), group_step::starting, {}});
  run();
  EXPECT_EQ(at(), phase::starting);
  script->release();
  run();
  EXPECT_EQ(at(), phase::running);
}

TEST_F(instance_start, probes_every_5_ms_at_first) {
  script->always["probe"] = fails(errc::never_healthy, "connection refused");
  launch();
  advance(100ms);
  EXPECT_GE(script->count("probe"), 19u);
  EXPECT_LE(script->count("probe"), 21u);
  script->always.clear();
  advance(5ms);
  EXPECT_EQ(at(), phase::running);
}

TEST_F(instance_start, the_lifetime_counts_from_running) {
  script->always["probe"] = fails(errc::never_healthy);
  launch();
  advance(10s);
  script->always.clear();
  ASSERT_TRUE(run_until(phase::running));
  EXPECT_EQ(journal->last<running_entry>()->running_at, time.wall_now());
  advance(599'999ms);
  EXPECT_EQ(at(), phase::running);
}

TEST_F(instance_start, a_kept_deadline_is_not_renewed) {
  auto r = record();
  r.deadline = durable_deadline{"boot-a", time.boot_now() + 50s, time.wall_now() + 50s};
  r.extensions_used_ms = 300'000;
  spawn(r, false);
  ASSERT_EQ(at(), phase::running);
  EXPECT_EQ(journal->last<running_entry>()->expires_at, time.wall_now() + 50s);
  EXPECT_EQ(*edge->routes.at("abc.localhost").deadline, time.boot_now() + 50s);
}

TEST_F(instance_start, health_of_kind_none_asks_nobody) {
  spec->services[0].health.kind = health_kind::none;
  launch();
  EXPECT_EQ(at(), phase::running);
  EXPECT_EQ(script->count("probe"), 0u);
}

TEST_F(instance_start, health_of_kind_image_asks_the_engine) {
  spec->services[0].health.kind = health_kind::image;
  launch();
  auto& group = engine->groups.at(key());
  group.image_health = true;
  advance(300ms);
  EXPECT_EQ(at(), phase::probing);
  group.healthy = true;
  ASSERT_TRUE(run_until(phase::running, 1s));
  EXPECT_EQ(script->count("probe"), 0u);
}

TEST_F(instance_start, health_of_kind_image_without_a_healthcheck_says_so) {
  spec->services[0].health.kind = health_kind::image;
  launch();
  ASSERT_TRUE(run_until_ended());
  EXPECT_EQ(end_fact()->why.code, errc::never_healthy);
  EXPECT_NE(end_fact()->why.detail.find("HEALTHCHECK"), std::string::npos);
}

TEST_F(instance_start, without_an_edge_it_stays_pending_and_says_why) {
  caf::anon_send_exit(deps->router, caf::exit_reason::kill);
  deps->router = nullptr;
  launch();
  advance(10s);
  EXPECT_EQ(at(), phase::probing);
  EXPECT_EQ(progress.back().note, "no edge on this machine");
  EXPECT_EQ(journal->last<running_entry>(), nullptr);
  ASSERT_TRUE(run_until_ended(30s));
  EXPECT_EQ(end_fact()->why.code, errc::start_limit_exceeded);
  EXPECT_NE(end_fact()->why.detail.find("no edge"), std::string::npos);
  expect_nothing_left();
}

TEST_F(instance_start, an_edge_that_does_not_acknowledge_keeps_it_pending) {
  script->next["put_route"] = {loses_request(), fails(errc::internal)};
  launch();
  EXPECT_EQ(at(), phase::probing);
  ASSERT_TRUE(run_until(phase::running, 5s));
  EXPECT_EQ(script->count("route put"), 3u);
}

struct failing_start : instance_test, ::testing::WithParamInterface<std::pair<errc, bool>> {};

TEST_P(failing_start, is_cleaned_up_before_it_is_told) {
  const auto [code, refused] = GetParam();
  script->next["ensure"] = {fails(code, "what happened", "the tail")};
  launch();
  ASSERT_TRUE(run_until_ended());
  EXPECT_LT(script->find("engine remove"), script->find("journal commit gone"));
  if (refused) {
    ASSERT_NE(journal->last<refused_entry>(), nullptr);
    EXPECT_EQ(journal->last<refused_entry>()->why.code, code);
  } else {
    ASSERT_NE(end_fact(), nullptr);
    EXPECT_EQ(end_fact()->reason, end_reason::failed);
    EXPECT_EQ(end_fact()->why.code, code);
    EXPECT_EQ(end_fact()->why.log_tail, "the tail");
  }
  expect_nothing_left();
}
INSTANTIATE_TEST_SUITE_P(errors, failing_start,
                         ::testing::Values(std::pair{errc::image_missing, true}, std::pair{errc::image_denied, true}, std::pair{errc::image_pull_failed, true},
                                           std::pair{errc::no_space, true}, std::pair{errc::engine_error, true}, std::pair{errc::name_conflict, true},
                                           std::pair{errc::exited_at_start, false}, std::pair{errc::operation_not_permitted, false},
                                           std::pair{errc::invalid_spec, false}, std::pair{errc::out_of_memory, false}),
                         [](auto& tested) { return std::string{to_string(tested.param.first)}; });

TEST_F(instance_start, an_engine_that_stays_away_refuses_it) {
  engine->away = true;
  launch();
  ASSERT_FALSE(run_until_ended(10s)) << "it may be restarting";
  ASSERT_TRUE(run_until_ended(20s));
  EXPECT_EQ(journal->last<refused_entry>()->why.code, errc::engine_unavailable);
}

TEST_F(instance_start, an_engine_whose_isolation_is_not_proved_refuses_it_too) {
  for (auto call : {"ensure", "remove"}) script->always[call] = fails(errc::isolation_unproven);
  launch();
  ASSERT_TRUE(run_until_ended(10s));
  EXPECT_EQ(journal->last<refused_entry>()->why.code, errc::isolation_unproven);
}

TEST_F(instance_start, after_an_unclear_answer_it_looks_and_takes_what_is_there) {
  script->next["ensure"] = {fails(errc::engine_timeout)};
  launch();
  auto plan = std::make_shared<launch_plan>();
  plan->key = key();
  plan->spec = spec;
  (void)engine->ensure(plan);
  ASSERT_TRUE(run_until(phase::running, 5s));
  EXPECT_EQ(script->count("engine ensure"), 1u) << "it was there: not made twice";
  EXPECT_EQ(script->count("engine inspect"), 1u);
}

TEST_F(instance_start, after_an_unclear_answer_it_looks_and_asks_again_when_nothing_is_there) {
  script->next["ensure"] = {fails(errc::unknown_outcome)};
  launch();
  ASSERT_TRUE(run_until(phase::running, 5s));
  EXPECT_EQ(script->count("engine ensure"), 2u);
  EXPECT_EQ(script->count("engine inspect"), 1u);
}

TEST_F(instance_start, while_the_answer_stays_unclear_it_looks_ever_rarer_until_the_limit) {
  script->always["ensure"] = fails(errc::engine_timeout);
  script->always["inspect"] = fails(errc::engine_timeout);
  launch();
  ASSERT_TRUE(run_until_ended(60s));
  EXPECT_LT(script->count("engine inspect"), 15u);
  EXPECT_EQ(end_fact()->why.code, errc::start_limit_exceeded);
  expect_nothing_left();
}

TEST_F(instance_start, a_lost_engine_answer_ends_at_the_start_limit) {
  script->next["ensure"] = {loses_answer()};
  launch();
  advance(29'999ms);
  EXPECT_FALSE(ended);
  ASSERT_TRUE(run_until_ended(5s));
  EXPECT_EQ(end_fact()->why.code, errc::start_limit_exceeded);
  expect_nothing_left();
}

TEST_F(instance_start, one_that_is_never_healthy_fails_at_the_start_limit) {
  script->always["probe"] = fails(errc::never_healthy, "connection refused");
  launch();
  advance(29'999ms);
  EXPECT_EQ(at(), phase::probing);
  ASSERT_TRUE(run_until_ended(1s));
  EXPECT_EQ(end_fact()->reason, end_reason::failed);
  EXPECT_EQ(end_fact()->why.code, errc::never_healthy);
  EXPECT_NE(end_fact()->why.detail.find("connection refused"), std::string::npos);
  expect_nothing_left();
}

TEST_F(instance_start, a_service_that_exits_while_probing_fails_with_its_last_lines) {
  script->always["probe"] = fails(errc::never_healthy);
  engine->output = "sh: not found";
  launch();
  advance(20ms);
  engine->exit(key(), 127);
  ASSERT_TRUE(run_until_ended(5s));
  EXPECT_EQ(end_fact()->why.code, errc::exited_at_start);
  EXPECT_EQ(end_fact()->why.log_tail, "sh: not found");
  expect_nothing_left();
}

TEST_F(instance_start, an_exit_that_arrives_before_the_engines_answer_counts) {
  script->next["ensure"] = {holds()};
  script->always["probe"] = fails(errc::never_healthy);
  launch();
  caf::anon_send(engine->watchers.at(key()), service_exited{key(), "main", 1, false});
  run();
  script->release();
  ASSERT_TRUE(run_until_ended(5s));
  EXPECT_EQ(end_fact()->why.code, errc::exited_at_start);
}

TEST_F(instance_start, a_denied_operation_is_explained) {
  script->always["probe"] = fails(errc::never_healthy);
  engine->output = "nginx: setgid(101) failed (1: Operation not permitted)";
  launch();
  engine->exit(key(), 1);
  ASSERT_TRUE(run_until_ended(5s));
  EXPECT_EQ(end_fact()->why.code, errc::operation_not_permitted);
}

TEST_F(instance_start, one_that_shall_end_is_never_created) {
  auto r = record();
  r.reason = end_reason::stopped;
  r.stopped_by = "key:admin";
  spawn(r, false);
  ASSERT_TRUE(run_until_ended());
  EXPECT_EQ(script->count("engine ensure"), 0u);
  EXPECT_EQ(end_fact()->reason, end_reason::stopped);
  EXPECT_EQ(end_fact()->actor, "key:admin");
  expect_nothing_left();
}

TEST_F(instance_start, phase_timings_are_told) {
  launch_running();
  std::vector<phase> left;
  for (auto& t : timings) left.push_back(t.phase);
  EXPECT_EQ(left, (std::vector<phase>{phase::assigned, phase::creating, phase::probing}));
}

} // namespace
