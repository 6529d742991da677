#include "actors/journal/journal.hpp"
#include "actors/journal/journal_table.hpp"
#include "actors/timers/timers.hpp"
#include "messages/codec.hpp"
#include "test/actors/journal/fake_ledger.hpp"
#include "test/actors/journal/records.hpp"
#include "test/support/temporary_folder.hpp"
#include "test/support/threaded_system.hpp"
#include "test/support/virtual_clock.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

namespace poseidon::test {
namespace {

using contents_ptr = std::shared_ptr<const journal_contents>;

class sqlite_journal_test : public ::testing::Test, public threaded_system {
protected:
  ~sqlite_journal_test() override {
    close();
    end(system, ledger);
    end(system, timers);
  }
  void open() {
    auto store = open_sqlite_journal({path, 65'536, tombstones}, time);
    ASSERT_TRUE(store) << store.error.detail;
    journal = spawn_journal(system, {timers, &time, attached ? ledger : ledger_actor{}}, std::move(*store));
  }
  void close() {
    if (journal) end(system, journal);
    journal = nullptr;
  }
  template <class Reply, class Message>
  outcome<Reply> ask(Message m) {
    caf::scoped_actor self(system);
    outcome<Reply> result{failure{errc::unknown_outcome, "no answer", {}, {}, {}}};
    self->request(journal, std::chrono::seconds(20), std::move(m)).receive([&](outcome<Reply>& r) { result = std::move(r); }, [](caf::error&) {});
    return result;
  }
  contents_ptr contents() { return *ask<contents_ptr>(load_records{}); }
  /// kill -9: the files as they are now, under another name.
  void crash() {
    auto before = std::exchange(path, path + "x");
    for (auto* suffix : {"", "-wal"}) std::filesystem::copy_file(before + suffix, path + suffix);
    close();
    open();
  }

  virtual_clock time;
  temporary_folder folder;
  std::string path = folder.file("journal.sqlite");
  tombstone_rule tombstones;
  std::shared_ptr<ledger_script> script = std::make_shared<ledger_script>();
  ledger_actor ledger = spawn_fake_ledger(system, script);
  timers_actor timers = spawn_timers(system, std::make_shared<timer_horizon>());
  bool attached = true;
  full_journal_actor journal;
};

TEST(journal_table, drops_the_facts_that_are_named_and_no_others) {
  temporary_folder folder;
  auto db = open_store(folder.file("journal.sqlite"), journal_schema());
  ASSERT_TRUE(db) << db.error.detail;
  journal_table table(**db, {});
  auto r = record(1);
  journal_write added, dropped;
  for (std::uint64_t n = 1; n <= 10; ++n)
    added.facts.push_back({n, {r.instance, r.epoch}, std::make_shared<const entry_body>(stopping_entry{{r.instance, r.epoch, {"n"}, {1, 1}, n}, end_reason::stopped, {}})});
  dropped.folded = {9, 3, 1, 2, 7, 10};
  table.write(added, {});
  table.write(dropped, {});
  std::vector<std::uint64_t> left;
  for (auto& fact : table.facts()) left.push_back(fact.number);
  EXPECT_EQ(left, (std::vector<std::uint64_t>{4, 5, 6, 8}));
}

TEST_F(sqlite_journal_test, keeps_whole_records_across_a_crash) {
  open();
  std::vector<journal_record> records;
  for (int n = 0; n < 500; ++n) {
    records.push_back(record(n));
    records.back().restarts = {{1}, {2}};
    records.back().ports = {{8000, port_protocol::tcp, "web"}};
    ASSERT_TRUE(ask<done>(commit(records.back(), 1)));
  }
  auto before = contents();
  crash();
  auto after = contents();
  EXPECT_EQ(after->data, before->data);
  EXPECT_FALSE(after->data.empty());
  EXPECT_TRUE(after->problems.empty());
  ASSERT_EQ(after->records.size(), 500u);
  std::map<instance_id, record_ptr> found;
  for (auto& r : after->records) found[r->instance] = r;
  for (auto& r : records) {
    auto& got = *found.at(r.instance);
    EXPECT_EQ(got.epoch, r.epoch);
    EXPECT_EQ(got.host, r.host);
    EXPECT_EQ(got.flag, r.flag);
    EXPECT_EQ(*got.spec, *r.spec);
    EXPECT_EQ(got.deadline->boot, r.deadline->boot);
    EXPECT_EQ(got.restarts, r.restarts);
    EXPECT_EQ(got.ports, r.ports);
    EXPECT_EQ(got.next_fact, 2u);
  }
}

TEST_F(sqlite_journal_test, replaces_a_record_and_keeps_epochs_apart) {
  open();
  auto r = record(1), moved = record(1);
  moved.epoch.sequence = 99;
  ask<done>(commit(r, 0));
  r.phase = phase::running;
  ask<done>(commit(r, 0));
  ask<done>(commit(moved, 0));
  auto all = contents();
  ASSERT_EQ(all->records.size(), 2u);
  for (auto& got : all->records)
    EXPECT_EQ(got->phase, got->epoch == r.epoch ? phase::running : phase::assigned);
}

TEST_F(sqlite_journal_test, facts_survive_a_crash_and_are_folded_once) {
  attached = false;
  open();
  auto r = record(1);
  ASSERT_TRUE(ask<done>(commit(r, 3)));
  EXPECT_EQ(contents()->waiting_facts, 3u);
  attached = true;
  crash();
  ASSERT_TRUE(ask<done>(flush_facts{group(1)}));
  ASSERT_EQ(script->folded.size(), 3u);
  for (std::uint64_t n = 1; n <= 3; ++n) EXPECT_EQ(script->folded[n - 1].number, n);
  ASSERT_TRUE(ask<done>(commit(r, 0))); // after the drop of the folded ones
  ASSERT_TRUE(ask<done>(commit(r, 0)));
  EXPECT_EQ(contents()->waiting_facts, 0u);
}

TEST_F(sqlite_journal_test, tombstones_are_bounded_by_count_and_age) {
  tombstones = {1'000, 50};
  open();
  for (int n = 0; n < 120; ++n) {
    auto r = record(n);
    ask<done>(commit(r, 0));
    ASSERT_TRUE(ask<done>(forget_record{group(n)}));
  }
  auto all = contents();
  ASSERT_EQ(all->tombstones.size(), 50u);
  EXPECT_EQ(all->tombstones.back().instance, group(119).instance);
  EXPECT_TRUE(all->records.empty());
  time.advance(millis{1'001});
  EXPECT_TRUE(contents()->tombstones.empty());
}

TEST_F(sqlite_journal_test, a_tombstone_says_how_it_ended_whoever_wrote_the_record) {
  open();
  for (int n = 0; n < 2; ++n) {
    auto r = record(n);
    r.phase = phase::gone;
    r.reason = end_reason::expired;
    ask<done>(commit(r, 0));
    if (n == 1) crash(); // an earlier run
    ASSERT_TRUE(ask<done>(forget_record{group(n)}));
  }
  auto all = contents();
  ASSERT_EQ(all->tombstones.size(), 2u);
  for (auto& tombstone : all->tombstones) EXPECT_EQ(tombstone.reason, end_reason::expired);
  auto again = record(0);
  ask<done>(commit(again, 0));
  ASSERT_TRUE(ask<done>(forget_record{group(0)}));
  all = contents();
  ASSERT_EQ(all->tombstones.size(), 2u) << "one of each";
  EXPECT_EQ(all->tombstones.back().instance, group(0).instance);
  EXPECT_EQ(all->tombstones.back().reason, end_reason::none) << "the last one counts";
}

TEST_F(sqlite_journal_test, tombstones_of_the_first_schema_are_kept) {
  {
    const store_schema first{"the journal", {journal_schema().upgrades.front()}};
    auto db = *open_store(path, first);
    auto put = db->prepare("INSERT INTO tombstones(name, at_ms, bytes) VALUES(?, ?, ?)");
    for (int n = 0; n < 3; ++n) put.text(std::to_string(n)).integer(time.wall_now().ms).blob(encode(tombstone_of(record(n)))).run();
  }
  open();
  ASSERT_EQ(contents()->tombstones.size(), 3u);
  EXPECT_EQ(contents()->tombstones[2].instance, group(2).instance);
}

TEST_F(sqlite_journal_test, records_of_the_second_schema_are_kept_and_go_on) {
  {
    const auto& all = journal_schema().upgrades;
    auto db = *open_store(path, store_schema{"the journal", {all[0], all[1]}});
    auto put = db->prepare("INSERT INTO records(name, bytes) VALUES(?, ?)");
    for (int n = 0; n < 3; ++n) {
      auto r = record(n);
      put.text(r.instance.value + "/" + to_string(r.epoch)).blob(encode(r)).run();
    }
  }
  open();
  auto r = record(1);
  r.phase = phase::running;
  ASSERT_TRUE(ask<done>(commit(r, 0)));
  ASSERT_TRUE(ask<done>(forget_record{group(2)}));
  auto all = contents();
  ASSERT_EQ(all->records.size(), 2u);
  for (auto& got : all->records) EXPECT_EQ(got->phase == phase::running, got->instance == r.instance);
  EXPECT_EQ(all->tombstones.size(), 1u);
}

/// One bad job makes its neighbours be done again: nothing that was remembered of the first time counts.
TEST_F(sqlite_journal_test, what_was_rolled_back_is_written_when_it_is_done_again) {
  auto db = *open_store(path, journal_schema());
  journal_table table{*db, {}};
  auto r = record(1), gone = record(2);
  r.spec = std::make_shared<const instance_spec>();
  r.spec_id = {"sha256:1"};
  const auto write = [&](const journal_record& put, std::vector<group_key> forgotten) {
    journal_write what;
    what.record = std::make_shared<const journal_record>(put);
    what.forgotten = std::move(forgotten);
    table.write(what, time.wall_now());
  };
  write(gone, {});
  db->execute("BEGIN");
  write(r, {group(2)});
  db->execute("ROLLBACK");
  write(r, {group(2)});
  const auto all = table.contents(time.wall_now());
  ASSERT_EQ(all.records.size(), 1u);
  EXPECT_EQ(all.records[0]->instance, r.instance);
  EXPECT_TRUE(all.records[0]->spec) << "it was stored";
  EXPECT_EQ(all.tombstones.size(), 1u);
}

TEST_F(sqlite_journal_test, forgetting_what_is_not_there_is_no_error) {
  open();
  EXPECT_TRUE(ask<done>(forget_record{group(1)}));
  EXPECT_TRUE(contents()->tombstones.empty());
}

TEST_F(sqlite_journal_test, damaged_and_newer_records_are_told_and_the_others_load) {
  open();
  for (int n = 0; n < 4; ++n) {
    auto r = record(n);
    ask<done>(commit(r, 0));
  }
  auto newer = record(9);
  newer.schema = journal_record::current_schema + 1;
  ask<done>(commit(newer, 0));
  close();
  {
    auto db = open_store(path, journal_schema());
    (*db)->execute("UPDATE records SET bytes = x'81a4' WHERE name LIKE 'i2/%'");
  }
  open();
  auto all = contents();
  EXPECT_EQ(all->records.size(), 3u);
  ASSERT_EQ(all->problems.size(), 2u);
  EXPECT_NE(all->problems[0].find("record i2/"), std::string::npos);
  EXPECT_NE(all->problems[1].find("newer Poseidon"), std::string::npos);
}

TEST_F(sqlite_journal_test, a_damaged_fact_does_not_stop_the_others) {
  attached = false;
  open();
  auto r = record(1), other = record(2);
  ask<done>(commit(r, 1));
  ask<done>(commit(other, 1));
  close();
  {
    auto db = open_store(path, journal_schema());
    (*db)->execute("UPDATE facts SET bytes = x'00' WHERE instance = 'i1'");
  }
  attached = true;
  open();
  ASSERT_TRUE(ask<done>(flush_facts{group(2)}));
  ASSERT_EQ(script->folded.size(), 1u);
  EXPECT_EQ(script->folded[0].instance, group(2).instance);
}

TEST_F(sqlite_journal_test, refuses_a_newer_schema_with_words) {
  {
    auto db = open_store(path, journal_schema());
    (*db)->execute("PRAGMA user_version=99");
  }
  auto refused = open_sqlite_journal({path, 100, {}}, time);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error.code, errc::conflict);
  EXPECT_NE(refused.error.detail.find("schema 99"), std::string::npos);
}

TEST(data_lock, a_second_holder_is_refused_until_the_first_is_gone) {
  temporary_folder folder;
  auto first = data_lock::take(folder.path());
  ASSERT_TRUE(first) << first.error.detail;
  auto second = data_lock::take(folder.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error.code, errc::conflict);
  EXPECT_NE(second.error.detail.find("process " + std::to_string(::getpid())), std::string::npos);
  first->reset();
  EXPECT_TRUE(data_lock::take(folder.path()));
}

TEST(data_lock, ends_with_its_process) {
  temporary_folder folder;
  int ready[2], go[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(go), 0);
  pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto lock = data_lock::take(folder.path());
    char c = lock ? 'y' : 'n';
    [[maybe_unused]] auto written = ::write(ready[1], &c, 1);
    [[maybe_unused]] auto got = ::read(go[0], &c, 1); // until it is killed
    ::_exit(0);
  }
  char c = 0;
  ASSERT_EQ(::read(ready[0], &c, 1), 1);
  EXPECT_EQ(c, 'y');
  EXPECT_FALSE(data_lock::take(folder.path()));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(data_lock::take(folder.path()));
  for (int fd : {ready[0], ready[1], go[0], go[1]}) ::close(fd);
}

} // namespace
} // namespace poseidon::test
