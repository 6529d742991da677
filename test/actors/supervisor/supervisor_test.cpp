// The supervisor with instance actors whose fate the test decides.

#include "test/actors/supervisor/supervisor_world.hpp"

namespace poseidon {
namespace {

TEST_F(supervisor_test, registers_with_what_the_machine_has_and_launches_what_the_fold_assigns) {
  begin();
  auto s = status();
  EXPECT_TRUE(s.registered) << s.trouble.detail;
  EXPECT_EQ(s.capacity.memory_bytes, engine->info.memory_bytes);
  EXPECT_EQ(s.cpu_permille, 250u);
  auto row = start("a", "FLAG");
  ASSERT_EQ(puppets.size(), 1u);
  auto& record = *puppets[0]->seed.record;
  EXPECT_FALSE(puppets[0]->seed.adopt);
  EXPECT_EQ(record.instance, row->id);
  EXPECT_EQ(record.epoch, row->epoch);
  EXPECT_EQ(record.host, "a.test");
  EXPECT_EQ(record.url, "http://a.test/");
  EXPECT_EQ(record.flag.reveal(), "FLAG");
  EXPECT_EQ(record.phase, phase::assigned);
  EXPECT_EQ(status().instances, 1u);
}

TEST_F(supervisor_test, what_was_queued_before_the_node_came_is_launched_after_its_node_up) {
  start("a");
  EXPECT_EQ(ledger->row("a")->phase, ledger_phase::queued);
  begin();
  EXPECT_EQ(puppets.size(), 1u);
}

TEST_F(supervisor_test, a_flag_that_does_not_open_fails_the_instance) {
  begin();
  start("a", "broken");
  ASSERT_EQ(puppets.size(), 1u);
  EXPECT_EQ(puppets[0]->seed.record->reason, end_reason::failed);
  EXPECT_EQ(puppets[0]->seed.record->why.code, errc::forbidden);
}

TEST_F(supervisor_test, commands_go_to_the_actor_and_what_it_does_not_hold_is_unknown) {
  begin();
  start("a");
  EXPECT_TRUE(command<done>(stop_instance{{"a"}, end_reason::solved, "key:x"}).ok());
  ASSERT_EQ(puppets[0]->stops.size(), 1u);
  EXPECT_EQ(command<extended>(extend_instance{{"a"}, {}})->extensions_used_ms, 7);
  EXPECT_EQ(command<log_text>(read_logs{{"a"}, {}, 0})->text, "text");
  EXPECT_TRUE(command<group_stats>(read_stats{{"a"}}).ok());
  EXPECT_TRUE(command<done>(get_instance{{"a"}}).ok());
  EXPECT_EQ(command<done>(get_instance{{"b"}}).error.code, errc::unknown_instance);
  EXPECT_EQ(command<done>(stop_instance{{"b"}, end_reason::stopped, {}}).error.code, errc::unknown_instance);
  EXPECT_EQ(command<garbage_report>(collect_garbage{})->removed.size(), 1u);
}

TEST_F(supervisor_test, logs_of_what_it_holds_no_more_are_those_that_were_kept) {
  deps.kept_logs = system.spawn([](kept_logs_reader::pointer) -> kept_logs_reader::behavior_type {
    return {[](const read_logs& m) -> outcome<log_text> {
      if (m.instance.value == "ended") return log_text{"kept"};
      return failure{errc::unknown_instance, "nothing is kept", {}, {}, {}};
    }};
  });
  const auto kept = caf::actor_cast<caf::actor>(deps.kept_logs);
  begin();
  start("a");
  EXPECT_EQ(command<log_text>(read_logs{{"a"}, {}, 0})->text, "text");
  EXPECT_EQ(command<log_text>(read_logs{{"ended"}, {}, 0})->text, "kept");
  const auto unknown = command<log_text>(read_logs{{"b"}, {}, 0}).error;
  EXPECT_EQ(unknown.code, errc::unknown_instance);
  EXPECT_NE(unknown.detail.find("n1"), std::string::npos) << "it says which node was asked";
  caf::anon_send_exit(kept, caf::exit_reason::user_shutdown);
}

TEST_F(supervisor_test, a_mark_reaches_the_actor_once) {
  begin();
  start("a");
  ledger->put(cancel_entry{{"a"}, end_reason::stopped, "key:x"});
  ledger->put(cancel_entry{{"a"}, end_reason::stopped, "key:x"});
  run();
  ASSERT_EQ(puppets[0]->stops.size(), 1u);
  EXPECT_EQ(puppets[0]->stops[0].actor, "key:x");
}

TEST_F(supervisor_test, a_reset_fences_the_old_copy_and_launches_the_new_one_after_it) {
  begin();
  auto row = start("a");
  ledger->put(running_entry{head_of(*row, 1), {1}, {5'000}, {}});
  move_entry move;
  move.instance = {"a"};
  move.expected = row->epoch;
  move.expires_at = wall_time{5'000};
  move.extensions_used_ms = 12;
  ledger->put(move);
  run();
  ASSERT_EQ(puppets.size(), 1u);
  ASSERT_EQ(puppets[0]->fences, std::vector<end_reason>{end_reason::fenced});
  EXPECT_EQ(command<done>(stop_instance{{"a"}, end_reason::stopped, {}}).error.code, errc::unknown_instance)
      << "a stop while both copies change places is the mark's";
  finish(*puppets[0], end_reason::fenced);
  ASSERT_EQ(puppets.size(), 2u);
  EXPECT_EQ(puppets[1]->seed.record->epoch, ledger->row("a")->epoch);
  EXPECT_GT(puppets[1]->seed.record->epoch, row->epoch);
  EXPECT_EQ(puppets[1]->seed.record->deadline->wall, wall_time{5'000});
  EXPECT_EQ(puppets[1]->seed.record->extensions_used_ms, 12);
  EXPECT_TRUE(command<done>(get_instance{{"a"}}).ok());
}

TEST_F(supervisor_test, a_stop_between_the_copies_of_a_reset_ends_the_new_one_unborn) {
  begin();
  reset(*start("a"));
  ledger->put(cancel_entry{{"a"}, end_reason::stopped, "key:x"});
  run();
  finish(*puppets[0], end_reason::fenced);
  ASSERT_EQ(puppets.size(), 2u);
  EXPECT_EQ(puppets[1]->seed.record->reason, end_reason::stopped);
  EXPECT_EQ(puppets[1]->seed.record->stopped_by, "key:x");
}

TEST_F(supervisor_test, what_moves_on_before_its_older_copy_is_gone_is_given_back) {
  begin();
  reset(*start("a"));
  const auto second = ledger->row("a")->epoch;
  ledger->put(set_node_mode_entry{{"n1"}, node_mode::cordoned});
  ledger->put(move_entry{{"a"}, second, move_reason::recreate, {}, 0, "", {}}); // queued: no other node has room
  run();
  ASSERT_TRUE(ledger->row("a")->node.empty());
  ASSERT_EQ(puppets.size(), 1u);
  finish(*puppets[0], end_reason::fenced);
  ASSERT_EQ(puppets.size(), 2u) << "one that says so";
  EXPECT_EQ(puppets[1]->seed.record->epoch, second);
  EXPECT_EQ(puppets[1]->seed.record->reason, end_reason::fenced);
  finish(*puppets[1], end_reason::fenced);
  EXPECT_EQ(puppets.size(), 2u);
}

TEST_F(supervisor_test, an_assignment_that_ended_here_is_not_begun_again) {
  begin();
  auto row = start("a");
  quit(*puppets[0]); // its facts are still in the outbox
  auto other = start("b");
  EXPECT_EQ(puppets.size(), 2u);
  EXPECT_EQ(puppets[1]->seed.record->instance.value, "b");
}

TEST_F(supervisor_test, the_engines_changes_reach_every_actor) {
  begin();
  start("a");
  engine->tell(false);
  run();
  EXPECT_EQ(status().trouble.code, errc::engine_unavailable);
  engine->tell(true);
  run();
  EXPECT_EQ(puppets[0]->engine, (std::vector<bool>{false, true}));
  EXPECT_FALSE(status().trouble);
}

TEST_F(supervisor_test, keeps_trying_while_the_engine_is_down_and_says_why) {
  engine->down = true;
  auto record = std::make_shared<journal_record>();
  record->instance = {"old"};
  record->epoch = {1, 2, {1, 2}};
  record->spec = std::make_shared<instance_spec>();
  disk->records[{record->instance, record->epoch}] = record;
  begin();
  EXPECT_EQ(status().trouble.code, errc::engine_unavailable);
  EXPECT_FALSE(status().registered);
  ASSERT_EQ(puppets.size(), 1u) << "what the journal holds is taken over all the same";
  EXPECT_TRUE(puppets[0]->seed.adopt);
  engine->down = false;
  advance(millis{1'500});
  EXPECT_TRUE(status().registered);
}

TEST_F(supervisor_test, adopts_without_the_ledger_and_registers_when_it_answers) {
  begin();
  start("a");
  ledger->silent = true;
  crash_and_restart(2);
  EXPECT_TRUE(puppets.empty());
  EXPECT_EQ(command<done>(stop_instance{{"a"}, end_reason::stopped, {}}).error.code, errc::rebuilding);
  advance(deps.image_wait + millis{10});
  ASSERT_EQ(puppets.size(), 1u);
  EXPECT_TRUE(command<done>(stop_instance{{"a"}, end_reason::stopped, {}}).ok());
  ledger->silent = false;
  advance(deps.first_retry + millis{10}); // what it holds is judged as soon as there is something to judge it by
  EXPECT_TRUE(status().registered);
  EXPECT_EQ(puppets.size(), 1u);
}

TEST_F(supervisor_test, a_new_run_adopts_from_the_journal_and_keeps_what_the_fold_has) {
  begin();
  auto row = start("a");
  ledger->put(running_entry{head_of(*row, 1), {1}, {5'000}, {}});
  engine->put({row->id, row->epoch});
  crash_and_restart(2);
  ASSERT_EQ(puppets.size(), 1u);
  EXPECT_TRUE(puppets[0]->seed.adopt);
  EXPECT_EQ(ledger->row("a")->epoch, row->epoch);
  EXPECT_EQ(ledger->row("a")->phase, ledger_phase::running);
}

TEST_F(supervisor_test, an_assignment_that_was_never_committed_is_assigned_anew_to_the_new_run) {
  begin();
  auto row = start("a");
  disk->lose();
  crash_and_restart(2);
  auto now = ledger->row("a");
  EXPECT_GT(now->epoch, row->epoch);
  ASSERT_EQ(puppets.size(), 1u);
  EXPECT_FALSE(puppets[0]->seed.adopt);
  EXPECT_EQ(puppets[0]->seed.record->epoch, now->epoch);
}

TEST_F(supervisor_test, a_lost_journal_is_rebuilt_from_ledger_and_engine) {
  begin();
  auto row = start("a");
  ledger->put(running_entry{head_of(*row, 1), {1}, {5'000}, {}});
  engine->put({row->id, row->epoch});
  auto gone = start("b");
  engine->put({gone->id, gone->epoch});
  engine->put({{"stranger"}, {1, 3, {3, 3}}});
  disk->lose();
  ledger->subscribers.clear();
  ended_entry e;
  e.head = head_of(*gone, 1);
  e.reason = end_reason::stopped;
  ledger->put(e);
  crash_and_restart(2);
  ASSERT_EQ(puppets.size(), 2u);
  std::map<std::string, instance_seed> seeds;
  for (auto& p : puppets) seeds[p->seed.record->instance.value] = p->seed;
  EXPECT_TRUE(seeds["a"].adopt);
  EXPECT_EQ(seeds["a"].record->phase, phase::running);
  EXPECT_EQ(seeds["a"].record->deadline->wall, wall_time{5'000});
  EXPECT_EQ(seeds["b"].record->reason, end_reason::fenced);
  EXPECT_TRUE(disk->records.contains({row->id, row->epoch})) << "durable before anything is done with it";
  EXPECT_EQ(ledger->row("a")->phase, ledger_phase::running);
  EXPECT_EQ(ledger->row("stranger"), nullptr) << "reported, and left to its latest end";
}

TEST_F(supervisor_test, what_a_wiped_ledger_does_not_know_is_adopted_from_the_journal) {
  begin();
  auto row = start("a");
  auto record = std::make_shared<journal_record>(*puppets[0]->seed.record);
  record->phase = phase::running;
  record->running_at = wall_time{1};
  record->deadline = durable_deadline{"b", {1}, {9'000}};
  disk->records[{row->id, row->epoch}] = record;
  auto fresh = std::make_shared<fold_ledger>(time);
  ledger->state = std::move(fresh->state);
  ledger->sequence = 10;
  crash_and_restart(2);
  ASSERT_NE(ledger->row("a"), nullptr);
  EXPECT_EQ(ledger->row("a")->phase, ledger_phase::running);
  EXPECT_EQ(ledger->row("a")->host, "a.test");
  EXPECT_EQ(ledger->row("a")->expires_at, wall_time{9'000});
  EXPECT_TRUE(puppets[0]->fences.empty());
}

TEST_F(supervisor_test, a_copy_that_the_fold_gave_up_is_fenced_at_adoption) {
  begin();
  auto row = start("a");
  crash_and_restart(2);
  ledger->put(node_lost_entry{{"n1"}, deps.run, {}});
  run();
  auto now = ledger->row("a");
  EXPECT_FALSE(puppets[0]->fences.empty()) << "queued again by the loss: nobody may run the old copy";
  EXPECT_TRUE(status().registered) << "it registers again after its own loss";
  finish(*puppets[0], end_reason::fenced);
  now = ledger->row("a");
  EXPECT_GT(now->epoch, row->epoch);
  ASSERT_EQ(puppets.size(), 2u);
  EXPECT_EQ(puppets[1]->seed.record->epoch, now->epoch);
}

TEST_F(supervisor_test, a_foreign_run_under_its_name_ends_its_launching) {
  begin();
  start("a");
  node_up_entry other;
  other.node = {"n1"};
  other.run = {9, 77};
  other.data = disk->data;
  other.capacity = {1ull << 33, 8'000, 0};
  other.incarnation = 1;
  other.at = ledger->state.at;
  ledger->put(other);
  run();
  EXPECT_EQ(status().trouble.code, errc::superseded);
  start("b");
  advance(millis{20'000});
  EXPECT_EQ(puppets.size(), 1u);
}

TEST_F(supervisor_test, in_a_log_that_began_anew_it_counts_from_its_own_registration_on) {
  begin();
  start("a");
  engine->down = true; // it can't register yet
  ledger->begin_anew();
  ledger->put(set_node_mode_entry{{"n1"}, node_mode::cordoned}); // its row changes all the same
  run();
  EXPECT_FALSE(status().registered);
  engine->down = false;
  advance(millis{1'000});
  EXPECT_TRUE(status().registered);
}

TEST_F(supervisor_test, another_data_under_a_live_name_is_refused_and_retried) {
  begin();
  disk->data = {6, 6};
  crash_and_restart(2);
  EXPECT_FALSE(status().registered);
  EXPECT_EQ(status().trouble.code, errc::name_conflict);
  ledger->put(node_lost_entry{{"n1"}, {9, 1}, {}});
  run();
  EXPECT_TRUE(status().registered) << "at once, whenever it would have asked again";
}

TEST_F(supervisor_test, an_actor_that_crashes_is_started_again_from_the_journal_with_back_off) {
  begin();
  start("a");
  quit(*puppets[0], caf::exit_reason::unhandled_exception);
  EXPECT_EQ(puppets.size(), 1u);
  EXPECT_EQ(command<done>(stop_instance{{"a"}, end_reason::stopped, {}}).error.code, errc::rebuilding);
  advance(millis{100});
  ASSERT_EQ(puppets.size(), 2u);
  EXPECT_TRUE(puppets[1]->seed.adopt);
  quit(*puppets[1], caf::exit_reason::unhandled_exception);
  advance(millis{150});
  EXPECT_EQ(puppets.size(), 2u) << "the second wait is longer";
  advance(millis{100});
  EXPECT_EQ(puppets.size(), 3u);
}

TEST_F(supervisor_test, one_that_keeps_crashing_is_made_to_end) {
  begin();
  start("a");
  for (int i = 0; i < 20 && puppets.back()->seed.record->reason == end_reason::none; ++i) {
    quit(*puppets.back(), caf::exit_reason::unhandled_exception);
    advance(millis{5'500});
  }
  EXPECT_EQ(puppets.back()->seed.record->reason, end_reason::failed);
  EXPECT_EQ(puppets.back()->seed.record->why.code, errc::internal);
  EXPECT_EQ(puppets.size(), 7u);
}

TEST_F(supervisor_test, a_crash_before_the_first_commit_is_begun_anew) {
  begin();
  auto row = start("a");
  disk->records.clear();
  quit(*puppets[0], caf::exit_reason::unhandled_exception);
  advance(millis{100});
  ASSERT_EQ(puppets.size(), 2u);
  EXPECT_FALSE(puppets[1]->seed.adopt);
  EXPECT_EQ(puppets[1]->seed.record->epoch, row->epoch);
}

TEST_F(supervisor_test, a_mark_that_came_while_the_actor_was_down_reaches_the_next_one) {
  begin();
  start("a");
  quit(*puppets[0], caf::exit_reason::unhandled_exception);
  ledger->put(cancel_entry{{"a"}, end_reason::stopped, "key:x"});
  advance(millis{100});
  ASSERT_EQ(puppets.size(), 2u);
  EXPECT_EQ(puppets[1]->stops.size(), 1u);
}

TEST_F(supervisor_test, its_reaper_is_started_again) {
  begin();
  caf::anon_send_exit(reaper_handle, caf::exit_reason::kill);
  run();
  advance(deps.reaper_rule.first_delay + millis{10});
  EXPECT_EQ(reapers, 2u);
  EXPECT_TRUE(command<garbage_report>(collect_garbage{}).ok());
}

TEST_F(supervisor_test, a_shutdown_leaves_the_containers_and_ends_every_child) {
  begin();
  auto row = start("a");
  engine->put({row->id, row->epoch});
  EXPECT_TRUE(command<done>(shut_down{}).ok());
  EXPECT_EQ(engine->containers(), 1u);
  EXPECT_TRUE(puppets[0]->stops.empty());
  EXPECT_EQ(ledger->row("a")->phase, ledger_phase::assigned);
}

TEST_F(supervisor_test, a_child_that_outlives_its_grace_is_killed) {
  begin();
  start("a");
  puppets[0]->stubborn = true;
  auto answer = world.ask_later<outcome<done>>(supervisor, shut_down{});
  EXPECT_FALSE(answer->has_value());
  advance(deps.child_grace + millis{10});
  ASSERT_TRUE(answer->has_value());
  EXPECT_TRUE((*answer)->ok());
}

TEST_F(supervisor_test, a_shutdown_that_stops_instances_waits_for_their_end) {
  begin();
  start("a");
  start("b");
  auto answer = world.ask_later<outcome<done>>(supervisor, shut_down{true});
  EXPECT_FALSE(answer->has_value());
  for (auto& p : puppets) EXPECT_EQ(p->stops.size(), 1u);
  finish(*puppets[0], end_reason::stopped);
  EXPECT_FALSE(answer->has_value());
  EXPECT_EQ(command<done>(stop_instance{{"z"}, end_reason::stopped, {}}).error.code, errc::shutting_down);
  finish(*puppets[1], end_reason::stopped);
  ASSERT_TRUE(answer->has_value());
}

TEST_F(supervisor_test, a_shutdown_that_stops_instances_ends_at_its_limit) {
  begin();
  start("a");
  auto answer = world.ask_later<outcome<done>>(supervisor, shut_down{true});
  advance(deps.stop_limit + millis{10});
  EXPECT_TRUE(answer->has_value());
}

TEST_F(supervisor_test, nothing_is_launched_during_a_shutdown) {
  begin();
  start("a");
  auto answer = world.ask_later<outcome<done>>(supervisor, shut_down{true});
  start("b");
  EXPECT_EQ(puppets.size(), 1u);
  finish(*puppets[0], end_reason::stopped);
  EXPECT_TRUE(answer->has_value());
}

TEST_F(supervisor_test, a_draining_node_extends_nothing) {
  begin();
  start("a");
  ledger->put(set_node_mode_entry{deps.node, node_mode::draining});
  run();
  const auto refused = command<extended>(extend_instance{{"a"}, {}});
  EXPECT_EQ(refused.error.code, errc::extension_refused);
  EXPECT_NE(refused.error.detail.find("drained"), std::string::npos);
  EXPECT_TRUE(command<done>(stop_instance{{"a"}, end_reason::stopped, {}}));
  ledger->put(set_node_mode_entry{deps.node, node_mode::ready});
  run();
  EXPECT_TRUE(command<extended>(extend_instance{{"a"}, {}}));
}

TEST_F(supervisor_test, a_drains_limit_evicts_what_is_left_not_earlier) {
  begin();
  start("a"), start("b");
  ledger->put(set_node_mode_entry{deps.node, node_mode::draining, 60'000, false});
  run();
  advance(millis{59'000});
  EXPECT_TRUE(puppets[0]->stops.empty());
  finish(*puppets[1], end_reason::stopped);
  advance(millis{1'000});
  ASSERT_EQ(puppets[0]->stops.size(), 1u);
  EXPECT_EQ(puppets[0]->stops[0].reason, end_reason::evicted);
  EXPECT_TRUE(puppets[1]->stops.empty());
  advance(millis{120'000});
  EXPECT_EQ(puppets[0]->stops.size(), 1u) << "once";
}

TEST_F(supervisor_test, an_uncordon_ends_a_drains_limit_and_a_new_drain_counts_anew) {
  begin();
  start("a");
  const auto mark = [&](node_mode mode, std::int64_t limit_ms) {
    ledger->put(set_node_mode_entry{deps.node, mode, limit_ms, false});
    run();
  };
  mark(node_mode::draining, 60'000);
  advance(millis{40'000});
  mark(node_mode::ready, 0);
  advance(millis{40'000});
  EXPECT_TRUE(puppets[0]->stops.empty());
  mark(node_mode::draining, 60'000);
  advance(millis{40'000});
  mark(node_mode::draining, 90'000); // longer
  advance(millis{80'000});
  EXPECT_TRUE(puppets[0]->stops.empty());
  mark(node_mode::draining, 0); // without a limit
  advance(millis{200'000});
  EXPECT_TRUE(puppets[0]->stops.empty());
  mark(node_mode::draining, 1'000);
  advance(millis{1'000});
  EXPECT_EQ(puppets[0]->stops.size(), 1u);
}

TEST_F(supervisor_test, a_new_run_counts_a_drains_limit_anew) {
  begin();
  start("a");
  ledger->put(running_entry{head_of(*ledger->row("a"), 1), {1000}, {61'000}, {}});
  ledger->put(set_node_mode_entry{deps.node, node_mode::draining, 60'000, false});
  run();
  advance(millis{50'000});
  crash_and_restart(2);
  advance(millis{50'000});
  ASSERT_EQ(puppets.size(), 1u);
  EXPECT_TRUE(puppets[0]->stops.empty()) << "late, never early";
  advance(millis{10'000});
  EXPECT_EQ(puppets[0]->stops.size(), 1u);
}

TEST_F(supervisor_test, what_is_begun_anew_after_a_drains_limit_ends_unborn) {
  begin();
  start("a");
  ledger->put(running_entry{head_of(*ledger->row("a"), 1), {1000}, {61'000}, {}});
  ledger->put(set_node_mode_entry{deps.node, node_mode::draining, 1'000, false});
  run();
  advance(millis{1'000});
  ASSERT_EQ(puppets[0]->stops.size(), 1u);
  move_entry reset;
  reset.instance = {"a"};
  reset.expected = ledger->row("a")->epoch;
  ledger->put(reset);
  run();
  finish(*puppets[0], end_reason::fenced);
  ASSERT_EQ(puppets.size(), 2u);
  EXPECT_EQ(puppets[1]->seed.record->reason, end_reason::evicted) << "nothing is created any more";
}

TEST_F(supervisor_test, tells_which_images_its_engine_holds) {
  engine->images = {"docker.io/library/web:1"};
  begin();
  EXPECT_EQ(status().images, engine->images);
  const auto looks = engine->image_looks;
  engine->images.push_back("docker.io/library/web:2");
  status();
  EXPECT_EQ(engine->image_looks, looks) << "a heartbeat asks nobody";
  advance(deps.images_every);
  EXPECT_EQ(status().images, engine->images);
  EXPECT_EQ(engine->image_looks, looks + 1);
}

} // namespace
} // namespace poseidon
