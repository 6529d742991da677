// Restarts, snapshots, and torn logs (rule 9; docs/ownership.md, crash points 3, 21, 22).

#include "test/actors/ledger/ledger_fixture.hpp"

namespace poseidon::test {
namespace {

using restart_test = ledger_test;
using torn_test = ledger_test;
using snapshot_test = ledger_test;
using follower_test = ledger_test;

TEST_F(restart_test, goes_on_where_the_tail_ends) {
  set("a", "1");
  const auto before = status();
  restart();
  EXPECT_EQ(status().folded, before.folded);
  EXPECT_EQ(status().digest, before.digest);
  EXPECT_EQ(status().folded.incarnation, 1u);
  EXPECT_TRUE(set("b", "1"));
}

TEST_F(restart_test, folds_what_the_log_has_and_the_tail_has_not) {
  set("a", "1");
  tail_store->away = true; // the process dies between log and tail
  append_later(put_setting_entry{"a", "2"});
  kill();
  tail_store->away = false;
  boot();
  EXPECT_EQ(setting("a"), "2");
  EXPECT_EQ(status().folded.incarnation, 1u);
}

TEST_F(restart_test, a_lost_tail_is_read_again_from_the_log) {
  set("a", "1");
  const auto before = status();
  kill();
  *tail_store = {};
  boot();
  EXPECT_EQ(status().digest, before.digest);
}

TEST_F(restart_test, a_damaged_snapshot_is_not_used) {
  kill();
  options.snapshot_every = 3;
  boot();
  set("a", "1"), set("b", "1"), set("c", "1");
  ASSERT_TRUE(tail_store->contents.snapshot);
  const auto before = status();
  kill();
  auto damaged = *tail_store->contents.snapshot;
  damaged.bytes.back() ^= 1;
  tail_store->contents.snapshot = std::make_shared<const tail_snapshot>(damaged);
  boot();
  EXPECT_EQ(status().digest, before.digest);
}

TEST_F(restart_test, without_the_log_the_tail_is_served) {
  set("a", "1");
  kill();
  faults->away = true;
  boot();
  EXPECT_EQ(setting("a"), "1");
  EXPECT_FALSE(status().connected);
  EXPECT_EQ(set("a", "2").error.code, errc::ledger_unavailable);
  faults->away = false;
  advance(options.retry);
  EXPECT_TRUE(set("a", "2"));
  EXPECT_EQ(status().folded.incarnation, 1u);
}

TEST_F(restart_test, the_tail_being_away_only_delays) {
  set("a", "1");
  kill();
  tail_store->away = true;
  boot();
  auto image = world.ask_later<ledger_image_ptr>(ledger, get_image{});
  advance(options.retry);
  EXPECT_FALSE(*image);
  tail_store->away = false;
  advance(options.retry);
  ASSERT_TRUE(*image);
  EXPECT_EQ((**image)->admin.settings.at("a"), "1");
}

TEST_F(restart_test, a_damaged_entry_is_passed_over) {
  set("a", "1");
  kill();
  auto& damaged = log_store->entries.emplace_back();
  damaged.sequence = log_store->first + log_store->entries.size() - 1;
  damaged.logged_at = time.wall_now();
  damaged.problem = std::make_shared<const failure>(failure{errc::bad_request, "damaged", {}, {}, {}});
  boot();
  EXPECT_TRUE(set("b", "1"));
  EXPECT_EQ(status().folded, (position{1, 4}));
}

TEST_F(restart_test, a_newer_entry_stops_it_with_words) {
  set("a", "1");
  auto& newer = log_store->entries.emplace_back();
  newer.sequence = log_store->first + log_store->entries.size() - 1;
  newer.problem = std::make_shared<const failure>(failure{errc::conflict, "written by a newer Poseidon", {}, {}, {}});
  restart();
  const auto refused = set("b", "1");
  EXPECT_EQ(refused.error.code, errc::ledger_unavailable);
  EXPECT_NE(refused.error.detail.find("newer"), std::string::npos);
  EXPECT_EQ(setting("a"), "1");
}

/// The same disks under a build that folds up to this version.
struct version_test : ledger_test {
  void boot_with(std::uint32_t newest) {
    kill();
    options.newest_fold = newest;
    boot();
  }
  void expect_stopped() {
    const auto refused = set("b", "1");
    EXPECT_EQ(refused.error.code, errc::ledger_unavailable);
    EXPECT_NE(refused.error.detail.find("version 2"), std::string::npos) << refused.error.detail;
    EXPECT_NE(refused.error.detail.find("upgrade"), std::string::npos);
    ASSERT_EQ(stops.size(), 1u) << "the process is told";
    EXPECT_EQ(stops.front().code, errc::conflict);
  }
};

TEST_F(version_test, rules_that_it_can_fold_come_into_force_and_stay) {
  boot_with(2);
  EXPECT_EQ(append(activate_entry{2})->verdict.kind, verdict_kind::accepted);
  EXPECT_EQ(append(activate_entry{2})->verdict.kind, verdict_kind::without_effect);
  restart();
  EXPECT_EQ(append(activate_entry{1})->verdict.kind, verdict_kind::without_effect);
  EXPECT_TRUE(set("a", "1"));
  EXPECT_TRUE(stops.empty());
}

TEST_F(version_test, one_that_is_too_old_stops_when_newer_rules_come_into_force) {
  set("a", "1");
  append(activate_entry{2});
  expect_stopped();
  EXPECT_EQ(setting("a"), "1") << "what it has folded may be read";
}

TEST_F(version_test, one_that_is_too_old_does_not_begin_again) {
  boot_with(2);
  append(activate_entry{2});
  boot_with(1); // from the entries of its tail
  expect_stopped();
}

TEST_F(version_test, nor_from_a_snapshot) {
  options.snapshot_every = 10;
  boot_with(2);
  append(activate_entry{2});
  for (int i = 0; i < 25; ++i) set("n", std::to_string(i));
  ASSERT_TRUE(tail_store->contents.snapshot);
  boot_with(1);
  expect_stopped();
}

TEST_F(version_test, nor_opens_a_log_whose_last_incarnation_it_can_not_read) {
  boot_with(2);
  append(activate_entry{2});
  set("a", "1");
  kill();
  log_store->wipe(); // the newer one opens an incarnation with its snapshot
  boot_with(2);
  EXPECT_EQ(status().folded.incarnation, 2u);
  kill();
  tail_store->contents = {};
  const auto entries = log_store->entries.size();
  boot_with(1); // a newcomer of an older build
  expect_stopped();
  EXPECT_EQ(log_store->entries.size(), entries);
}

TEST_F(snapshot_test, takes_the_place_of_the_entries_before_it) {
  kill();
  options.snapshot_every = 10;
  boot();
  for (int i = 0; i < 25; ++i) set("n", std::to_string(i));
  ASSERT_TRUE(tail_store->contents.snapshot);
  EXPECT_LT(tail_store->contents.entries.size(), 11u);
  const auto before = status();
  restart();
  EXPECT_EQ(status().digest, before.digest);
  EXPECT_EQ(setting("n"), "24");
  EXPECT_EQ(status().folded.incarnation, 1u);
}

TEST_F(torn_test, wiped_between_runs) {
  set("a", "1");
  kill();
  log_store->wipe();
  boot();
  EXPECT_EQ(setting("a"), "1");
  EXPECT_EQ(status().folded, (position{2, 1}));
  EXPECT_TRUE(set("b", "1"));
  restart();
  EXPECT_EQ(status().folded, (position{2, 2}));
  EXPECT_EQ(setting("a"), "1");
}

TEST_F(torn_test, rolled_back_between_runs) {
  set("a", "1"), set("a", "2");
  kill();
  log_store->roll_back(2);
  boot();
  EXPECT_EQ(setting("a"), "2");
  EXPECT_EQ(status().folded, (position{2, 3}));
}

TEST_F(torn_test, replaced_by_another_ledgers_log) {
  set("a", "1"), set("a", "2");
  kill();
  auto other = std::make_shared<memory_log_store>();
  std::swap(*other, *log_store);
  auto own_tail = std::exchange(tail_store, std::make_shared<memory_tail_store>());
  time.advance(millis{1000});
  boot(); // a stranger's ledger
  set("x", "1"), set("x", "2"), set("x", "3");
  kill();
  tail_store = own_tail;
  boot();
  EXPECT_EQ(setting("a"), "2");
  EXPECT_EQ(setting("x"), "");
  EXPECT_EQ(status().folded.incarnation, 2u);
}

TEST_F(torn_test, wiped_while_running) {
  set("a", "1");
  auto heard = subscribe();
  log_store->wipe();
  reconnect();
  EXPECT_EQ(setting("a"), "1");
  EXPECT_EQ(status().folded, (position{2, 1}));
  EXPECT_TRUE(set("b", "1"));
  ASSERT_EQ(heard->changes.size(), 2u);
  EXPECT_EQ(heard->changes[0].at, (position{2, 1}));
  EXPECT_TRUE(heard->changes[0].administration);
}

TEST_F(torn_test, rolled_back_while_running_and_nobody_said_so) {
  set("a", "1"), set("a", "2"), set("a", "3");
  log_store->roll_back(2);
  EXPECT_TRUE(set("b", "1")); // lands where the replica has been already, and is appended again
  EXPECT_EQ(setting("a"), "3");
  EXPECT_EQ(setting("b"), "1");
  EXPECT_EQ(status().folded.incarnation, 2u);
}

TEST_F(torn_test, what_waits_for_its_answer_is_appended_again) {
  set("a", "1");
  faults->hold = true;
  auto answer = append_later(put_setting_entry{"b", "1"});
  log_store->wipe();
  faults->hold = false;
  reconnect();
  ASSERT_TRUE(*answer && (*answer)->ok());
  EXPECT_EQ(setting("b"), "1");
  caf::anon_send(log, release_held{}); // the first copy arrives after all
  run();
  EXPECT_EQ(setting("b"), "1");
}

TEST_F(torn_test, dying_before_its_incarnation_was_folded_opens_no_second_one) {
  set("a", "1");
  kill();
  log_store->wipe();
  tail_store->away = false;
  boot();
  const auto opened = log_store->entries.front().what->id;
  kill();
  // The tail never learnt of it.
  std::erase_if(tail_store->contents.entries, [](const auto& e) { return e.at.incarnation == 2; });
  boot();
  EXPECT_EQ(status().folded, (position{2, 1}));
  EXPECT_EQ(log_store->entries.size(), 1u);
  EXPECT_EQ(log_store->entries.front().what->id, opened);
  EXPECT_EQ(setting("a"), "1");
}

TEST_F(torn_test, a_lost_opening_is_tried_again) {
  set("a", "1");
  kill();
  log_store->wipe();
  faults->lose_appends = 1;
  boot();
  EXPECT_EQ(set("b", "1").error.code, errc::ledger_unavailable);
  advance(options.append_timeout + millis{1});
  EXPECT_EQ(status().folded, (position{2, 1}));
  EXPECT_TRUE(set("b", "1"));
}

TEST_F(torn_test, the_gate_waits_for_the_nodes_of_the_snapshot) {
  node_up_entry up;
  up.node = {"n1"};
  up.run = {1, 1};
  up.data = {1, 2};
  up.capacity = {1u << 30, 1000, 0};
  up.incarnation = 1;
  up.at = {1, 1};
  ASSERT_TRUE(append(up));
  log_store->wipe();
  reconnect();
  EXPECT_FALSE(status().gate_open);
  start_entry start;
  start.instance = {"i1"};
  start.key = {"user:alice"};
  start.challenge = {"web"};
  EXPECT_EQ(append(start)->verdict.why.code, errc::rebuilding);
  up.incarnation = 2;
  up.at = {2, 1};
  ASSERT_EQ(append(up)->verdict.kind, verdict_kind::accepted);
  EXPECT_TRUE(status().gate_open);
}

TEST_F(torn_test, log_and_tail_both_lost_begin_a_new_ledger) {
  set("a", "1");
  kill();
  log_store->wipe();
  *tail_store = {};
  boot();
  EXPECT_EQ(setting("a"), "");
  EXPECT_EQ(status().folded, (position{1, 1}));
}

TEST_F(torn_test, a_lost_tail_and_a_trimmed_log_open_a_higher_incarnation) {
  set("a", "1"), set("b", "1");
  kill();
  log_store->entries.erase(log_store->entries.begin());
  log_store->first = 2;
  *tail_store = {};
  boot();
  EXPECT_EQ(status().folded, (position{2, 4}));
}

/// Another member, which stopped following earlier, opens the log anew.
struct restored_test : ledger_test {
  template <class Do>
  void opened_by_one_that_missed(Do what) {
    auto behind = std::make_shared<memory_tail_store>(*tail_store);
    what();
    kill();
    log_store->wipe();
    std::swap(tail_store, behind);
    boot();
    EXPECT_EQ(status().folded.incarnation, 2u);
    kill();
    std::swap(tail_store, behind);
  }
};

TEST_F(restored_test, what_the_opener_lacks_is_said_again) {
  set("a", "1");
  opened_by_one_that_missed([&] { set("a", "2"), set("b", "1"); });
  boot();
  EXPECT_EQ(setting("a"), "2");
  EXPECT_EQ(setting("b"), "1");
  EXPECT_EQ(status().folded.incarnation, 2u);
  const auto entries = log_store->entries.size();
  advance(millis{60'000});
  EXPECT_EQ(log_store->entries.size(), entries) << "once";
}

TEST_F(restored_test, and_again_when_it_was_lost_on_its_way) {
  opened_by_one_that_missed([&] { set("a", "1"), set("b", "1"); });
  faults->lose_appends = 1;
  boot();
  EXPECT_EQ(setting("a"), "");
  EXPECT_EQ(setting("b"), "1");
  advance(options.append_timeout + millis{1});
  EXPECT_EQ(setting("a"), "1");
}

TEST_F(restored_test, the_next_run_says_what_this_one_could_not) {
  kill();
  options.snapshot_every = 3; // its tail must reach back to before the log was torn all the same
  boot();
  opened_by_one_that_missed([&] { set("a", "1"); });
  faults->lose_appends = 1'000;
  boot();
  for (int i = 0; i < 5; ++i) log_store->append(log_store->entries.front().what, time.wall_now()); // repeats, and counted
  reconnect();
  EXPECT_EQ(setting("a"), "");
  kill();
  faults->lose_appends = 0;
  boot();
  EXPECT_EQ(setting("a"), "1");
}

TEST_F(restored_test, a_member_may_leave_it_to_others_first) {
  opened_by_one_that_missed([&] { set("a", "1"), set("b", "1"); });
  options.restore_after = millis{3'000};
  boot();
  EXPECT_EQ(setting("a"), "");
  EXPECT_TRUE(set("a", "2")) << "meanwhile somebody decides otherwise";
  advance(options.restore_after);
  EXPECT_EQ(setting("a"), "2");
  EXPECT_EQ(setting("b"), "1");
}

TEST_F(restored_test, one_that_only_follows_says_nothing) {
  opened_by_one_that_missed([&] { set("a", "1"); });
  options.leads = false;
  boot();
  EXPECT_EQ(status().folded, (position{2, 1}));
  EXPECT_EQ(setting("a"), "");
}

TEST_F(follower_test, opens_nothing_and_folds_what_another_member_opens) {
  kill();
  log_store->wipe();
  *tail_store = {};
  options.leads = false;
  boot();
  const auto extent = [&] { return world.answer_now<outcome<log_extent>>(log, get_log_extent{}).value()->last; };
  advance(millis{60'000});
  EXPECT_EQ(extent(), 0u);
  EXPECT_TRUE(subscribe()->image) << "what is known may be read";
  ledger_deps deps{log_actor{log}, spawn_memory_tail(system, std::make_shared<memory_tail_store>()), world.timers, &time, &random, {}};
  deps.options.appender = "leader";
  deps.options.run = run_id{9, 9};
  const auto leader = spawn_ledger(system, deps);
  run();
  EXPECT_GE(extent(), 1u);
  EXPECT_EQ(status().folded.incarnation, 1u);
  caf::anon_send_exit(leader, caf::exit_reason::kill);
  caf::anon_send_exit(deps.tail, caf::exit_reason::kill);
  run();
}

} // namespace
} // namespace poseidon::test
