#include "actors/journal/journal.hpp"
#include "actors/journal/memory_journal.hpp"
#include "test/actors/journal/fake_ledger.hpp"
#include "test/actors/journal/records.hpp"
#include "test/support/actor_fixture.hpp"

namespace poseidon::test {
namespace {

using contents_ptr = std::shared_ptr<const journal_contents>;

class journal_test : public actor_test {
protected:
  journal_test() { open(); }
  ~journal_test() override { crash(); }
  full_journal_actor open() { return open({world.timers, &time, ledger}); }
  full_journal_actor open(journal_deps deps) {
    journal = spawn_journal(system, std::move(deps), open_memory_journal(disk));
    run();
    return journal;
  }
  void crash() {
    caf::anon_send_exit(journal, caf::exit_reason::kill);
    run();
  }
  std::optional<outcome<done>> commit_now(journal_record& r, int facts) {
    return world.answer_now<outcome<done>>(journal, commit(r, facts));
  }
  contents_ptr contents() { return **world.answer_now<outcome<contents_ptr>>(journal, load_records{}); }
  std::vector<std::uint64_t> numbers(const journal_record& r) const {
    std::vector<std::uint64_t> all;
    for (auto& head : script->folded)
      if (head.instance == r.instance) all.push_back(head.number);
    return all;
  }

  std::shared_ptr<memory_journal_disk> disk = std::make_shared<memory_journal_disk>();
  std::shared_ptr<ledger_script> script = std::make_shared<ledger_script>();
  ledger_actor ledger = spawn_fake_ledger(system, script);
  full_journal_actor journal;
};

TEST_F(journal_test, answers_after_the_commit_and_hands_facts_on) {
  auto r = record(1);
  auto answer = commit_now(r, 2);
  ASSERT_TRUE(answer && answer->ok());
  EXPECT_EQ(numbers(r), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(contents()->records.size(), 1u);
}

TEST_F(journal_test, folded_facts_are_dropped_with_the_next_commit_or_soon) {
  auto r = record(1);
  commit_now(r, 2);
  EXPECT_EQ(disk->facts.size(), 2u) << "no commit of their own";
  commit_now(r, 1);
  EXPECT_EQ(disk->facts.size(), 1u);
  advance(millis{1'000});
  EXPECT_TRUE(disk->facts.empty());
}

TEST_F(journal_test, while_many_commits_are_under_way_folded_facts_wait_for_more_of_them) {
  script->fail_with = errc::ledger_unavailable;
  auto told = record(1);
  commit_now(told, 1);
  disk->hold = true;
  std::vector<journal_record> others;
  for (int n = 2; n < 6; ++n) others.push_back(record(n));
  for (auto& other : others) world.ask_later<outcome<done>>(journal, commit(other, 0));
  script->fail_with = errc::ok;
  advance(millis{50});
  ASSERT_EQ(numbers(told).size(), 1u);
  auto last = record(6);
  auto answer = world.ask_later<outcome<done>>(journal, commit(last, 0));
  disk->hold = false;
  caf::anon_send(journal, journal_sync{});
  run();
  ASSERT_TRUE(*answer && (*answer)->ok());
  EXPECT_EQ(disk->facts.size(), 1u) << "one is not worth a change of the table";
  advance(millis{1'000});
  EXPECT_TRUE(disk->facts.empty());
}

TEST_F(journal_test, folded_facts_outlive_a_failed_commit_and_are_dropped_later) {
  auto r = record(1);
  commit_now(r, 2);
  disk->full = true;
  EXPECT_FALSE(commit_now(r, 0)->ok());
  advance(millis{3'000});
  EXPECT_EQ(disk->facts.size(), 2u);
  disk->full = false;
  advance(millis{1'000});
  EXPECT_TRUE(disk->facts.empty());
  EXPECT_EQ(numbers(r).size(), 2u);
}

TEST_F(journal_test, does_not_answer_before_the_commit) {
  disk->hold = true;
  auto r = record(1);
  auto answer = world.ask_later<outcome<done>>(journal, commit(r, 1));
  EXPECT_FALSE(*answer);
  EXPECT_TRUE(script->folded.empty());
  disk->hold = false;
  caf::anon_send(journal, journal_sync{});
  run();
  EXPECT_TRUE(*answer && (*answer)->ok());
  EXPECT_EQ(script->folded.size(), 1u);
}

TEST_F(journal_test, what_was_not_committed_is_lost_in_a_crash_and_the_rest_is_not) {
  auto kept = record(1), lost = record(2);
  script->fail_with = errc::ledger_unavailable;
  ASSERT_TRUE(commit_now(kept, 1)->ok());
  disk->hold = true;
  auto answer = world.ask_later<outcome<done>>(journal, commit(lost, 1));
  crash();
  EXPECT_FALSE(*answer);
  disk->hold = false;
  script->fail_with = errc::ok;
  open();
  EXPECT_EQ(contents()->records.size(), 1u);
  EXPECT_EQ(numbers(kept).size(), 1u);
  EXPECT_TRUE(numbers(lost).empty());
}

TEST_F(journal_test, a_failed_commit_is_told_and_leaves_no_fact) {
  disk->full = true;
  auto r = record(1);
  auto answer = commit_now(r, 1);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error.code, errc::no_space);
  EXPECT_TRUE(script->folded.empty());
  EXPECT_TRUE(disk->records.empty());
}

TEST_F(journal_test, facts_wait_while_the_ledger_is_away_and_then_go_out_in_order) {
  script->fail_with = errc::ledger_unavailable;
  std::vector<journal_record> records;
  for (int n = 0; n < 20; ++n) records.push_back(record(n));
  for (int round = 0; round < 5; ++round)
    for (auto& r : records) ASSERT_TRUE(commit_now(r, 1)->ok());
  advance(millis{60'000});
  EXPECT_EQ(disk->facts.size(), 100u);
  script->fail_with = errc::ok;
  advance(millis{3'000});
  for (auto& r : records) EXPECT_EQ(numbers(r), (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
  EXPECT_TRUE(disk->facts.empty());
}

TEST_F(journal_test, asks_seldom_while_the_ledger_is_away) {
  script->fail_with = errc::ledger_unavailable;
  auto r = record(1);
  commit_now(r, 1);
  advance(millis{60'000});
  EXPECT_LT(script->asked, 60u);
  EXPECT_GT(script->asked, 20u);
}

TEST_F(journal_test, an_unknown_outcome_is_repeated_and_nothing_overtakes) {
  auto r = record(1);
  script->lose_answers = 3;
  ASSERT_TRUE(commit_now(r, 3)->ok());
  advance(millis{5'000});
  EXPECT_EQ(numbers(r), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_TRUE(disk->facts.empty());
}

TEST_F(journal_test, a_stale_fact_is_sent_again) {
  auto r = record(1);
  script->stale = 2;
  ASSERT_TRUE(commit_now(r, 1)->ok());
  advance(millis{5'000});
  EXPECT_EQ(numbers(r).size(), 1u);
}

TEST_F(journal_test, facts_of_an_earlier_run_go_out_first) {
  auto r = record(1);
  script->fail_with = errc::ledger_unavailable;
  ASSERT_TRUE(commit_now(r, 2)->ok());
  crash();
  script->fail_with = errc::ok;
  open({world.timers, &time, ledger_actor{}}); // the ledger comes later
  ASSERT_TRUE(commit_now(r, 1)->ok());
  EXPECT_TRUE(script->folded.empty());
  caf::anon_send(journal, attach_ledger{ledger});
  run();
  EXPECT_EQ(numbers(r), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(journal_test, a_ledger_that_died_is_replaced) {
  caf::anon_send_exit(ledger, caf::exit_reason::kill);
  run();
  auto r = record(1);
  ASSERT_TRUE(commit_now(r, 2)->ok());
  advance(millis{20'000});
  EXPECT_TRUE(script->folded.empty());
  ledger = spawn_fake_ledger(system, script);
  caf::anon_send(journal, attach_ledger{ledger});
  run();
  EXPECT_EQ(numbers(r), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(journal_test, flush_answers_when_the_groups_facts_are_folded) {
  auto r = record(1), other = record(2);
  script->fail_with = errc::ledger_unavailable;
  commit_now(r, 2);
  auto flushed = world.ask_later<outcome<done>>(journal, flush_facts{group(1)});
  auto nothing = world.answer_now<outcome<done>>(journal, flush_facts{group(2)});
  EXPECT_TRUE(nothing && nothing->ok());
  EXPECT_FALSE(*flushed);
  script->fail_with = errc::ok;
  advance(millis{2'000});
  EXPECT_TRUE(*flushed && (*flushed)->ok());
}

TEST_F(journal_test, forgetting_keeps_a_tombstone) {
  auto r = record(1);
  r.reason = end_reason::expired;
  r.running_at = wall_time{5};
  commit_now(r, 1);
  ASSERT_TRUE(world.answer_now<outcome<done>>(journal, forget_record{group(1)})->ok());
  auto all = contents();
  EXPECT_TRUE(all->records.empty());
  ASSERT_EQ(all->tombstones.size(), 1u);
  EXPECT_EQ(all->tombstones[0].instance, r.instance);
  EXPECT_EQ(all->tombstones[0].epoch, r.epoch);
  EXPECT_TRUE(all->tombstones[0].tombstone);
  EXPECT_EQ(all->tombstones[0].reason, end_reason::expired);
  EXPECT_EQ(all->tombstones[0].running_at, wall_time{5});
}

TEST_F(journal_test, forgets_once_the_last_fact_is_folded) {
  auto r = record(1);
  script->fail_with = errc::ledger_unavailable;
  commit_now(r, 2);
  auto forgotten = world.ask_later<outcome<done>>(journal, forget_record{group(1)});
  EXPECT_FALSE(*forgotten);
  EXPECT_EQ(contents()->records.size(), 1u);
  script->fail_with = errc::ok;
  advance(millis{2'000});
  EXPECT_TRUE(*forgotten && (*forgotten)->ok());
  EXPECT_TRUE(contents()->records.empty());
}

TEST_F(journal_test, forgetting_waits_for_no_commit_and_comes_with_the_next) {
  auto r = record(1), other = record(2), third = record(3);
  commit_now(r, 0);
  commit_now(other, 0);
  disk->hold = true;
  EXPECT_TRUE(world.answer_now<outcome<done>>(journal, forget_record{group(1)}));
  EXPECT_EQ(disk->records.size(), 2u);
  disk->hold = false;
  commit_now(third, 0);
  EXPECT_FALSE(disk->records.contains(group(1)));
  ASSERT_TRUE(world.answer_now<outcome<done>>(journal, forget_record{group(2)})->ok());
  EXPECT_TRUE(disk->records.contains(group(2)));
  advance(millis{1'000}); // nothing else comes
  EXPECT_FALSE(disk->records.contains(group(2)));
  EXPECT_EQ(disk->tombstones.size(), 2u);
}

TEST_F(journal_test, what_could_not_be_forgotten_is_tried_again_unless_it_was_put_anew) {
  auto r = record(1), other = record(2);
  commit_now(r, 0);
  commit_now(other, 0);
  ASSERT_TRUE(world.answer_now<outcome<done>>(journal, forget_record{group(1)})->ok());
  commit_now(r, 0);
  advance(millis{1'000});
  EXPECT_TRUE(disk->records.contains(group(1)));
  disk->full = true;
  ASSERT_TRUE(world.answer_now<outcome<done>>(journal, forget_record{group(1)})->ok());
  ASSERT_TRUE(world.answer_now<outcome<done>>(journal, forget_record{group(2)})->ok());
  advance(millis{1'000}); // in vain
  EXPECT_EQ(disk->records.size(), 2u);
  disk->full = false;
  commit_now(r, 0);
  advance(millis{1'000});
  EXPECT_TRUE(disk->records.contains(group(1)));
  EXPECT_FALSE(disk->records.contains(group(2)));
}

TEST_F(journal_test, a_damaged_record_does_not_stop_the_others) {
  auto good = record(1), bad = record(2);
  commit_now(good, 0);
  commit_now(bad, 0);
  disk->unreadable[group(2)] = "record i2: damaged";
  auto all = contents();
  EXPECT_EQ(all->records.size(), 1u);
  EXPECT_EQ(all->problems.size(), 1u);
}

TEST_F(journal_test, refuses_commits_when_too_many_facts_wait) {
  crash();
  journal_deps deps{world.timers, &time, ledger};
  deps.most_waiting = 10;
  open(deps);
  script->fail_with = errc::ledger_unavailable;
  auto r = record(1);
  ASSERT_TRUE(commit_now(r, 10)->ok());
  auto refused = commit_now(r, 1);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->error.code, errc::ledger_unavailable);
  EXPECT_TRUE(refused->error.retry_after_ms);
}

} // namespace
} // namespace poseidon::test
