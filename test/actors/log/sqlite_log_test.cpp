#include "actors/log/sqlite_log.hpp"

#include "actors/log/log_table.hpp"
#include "test/actors/log/log_fixture.hpp"

namespace poseidon::test {
namespace {

class sqlite_log_test : public ::testing::Test, public log_test_base {
protected:
  ~sqlite_log_test() override { close(); }
  void open() { log = *spawn_sqlite_log(system, options, time); }
  void close() {
    if (log) end(system, log);
    log = nullptr;
  }
  void execute(const std::string& sql) {
    auto db = open_store(options.path, log_schema());
    ASSERT_TRUE(db);
    (*db)->execute(sql);
  }
  void fill(std::size_t count) {
    open();
    follower f(system, log);
    ASSERT_TRUE(f.follow(0));
    f.append(make_entries(count));
    f.take(count);
    close();
  }
  temporary_folder folder;
  sqlite_log_options options{folder.file("log.sqlite"), 65'536, 100};
  log_actor log;
};

TEST_F(sqlite_log_test, a_damaged_entry_is_told_in_its_place_and_the_others_come) {
  fill(300);
  execute("UPDATE entries SET bytes = x'81a4ff' WHERE sequence = 150");
  open();
  follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  f.take(300);
  ASSERT_EQ(f.seen.size(), 300u);
  expect_contiguous(f.seen, 1);
  for (auto& e : f.seen) EXPECT_EQ(e.what == nullptr, e.sequence == 150);
  EXPECT_EQ(f.seen[149].problem->code, errc::bad_request);
}

TEST_F(sqlite_log_test, a_hole_is_told_entry_by_entry) {
  fill(300);
  execute("DELETE FROM entries WHERE sequence BETWEEN 100 AND 110");
  open();
  follower f(system, log);
  ASSERT_TRUE(f.follow(50));
  f.take(250);
  ASSERT_EQ(f.seen.size(), 250u);
  expect_contiguous(f.seen, 51);
  for (auto& e : f.seen) EXPECT_EQ(e.what == nullptr, e.sequence >= 100 && e.sequence <= 110);
}

TEST_F(sqlite_log_test, a_newer_entry_is_told_as_such) {
  open();
  auto newer = std::make_shared<entry>(*make_entry());
  newer->version = entry::current_version + 1;
  {
    follower f(system, log);
    ASSERT_TRUE(f.follow(0));
    f.append({newer});
    f.take(1);
  }
  close();
  open();
  follower f(system, log);
  auto read = f.ask<logged_entry>(read_log{1});
  ASSERT_TRUE(read);
  ASSERT_FALSE(read->what);
  EXPECT_EQ(read->problem->code, errc::conflict);
}

TEST_F(sqlite_log_test, when_too_much_waits_each_append_is_either_delivered_or_refused) {
  options.queue = 8;
  open();
  follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  constexpr std::size_t count = 5'000;
  for (auto& e : make_entries(count)) f.append({e});
  while (f.seen.size() + f.failed.size() < count && f.take_message(follower::limit, true)) {}
  EXPECT_EQ(f.seen.size() + f.failed.size(), count);
  expect_contiguous(f.seen, 1);
  std::set<entry_id> ids;
  for (auto& e : f.seen) ids.insert(e.what->id);
  for (auto& e : f.failed) {
    EXPECT_EQ(e.why.code, errc::ledger_unavailable);
    ids.insert(e.entry);
  }
  EXPECT_EQ(ids.size(), count);
}

TEST_F(sqlite_log_test, refuses_newer_foreign_and_damaged_files_with_words) {
  fill(1);
  execute("PRAGMA user_version=50");
  auto newer = spawn_sqlite_log(system, options, time);
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error.code, errc::conflict);
  EXPECT_NE(newer.error.detail.find("the ledger"), std::string::npos);

  options.path = folder.file("foreign.sqlite");
  sqlite(options.path).execute("CREATE TABLE theirs(x)");
  auto foreign = spawn_sqlite_log(system, options, time);
  EXPECT_NE(foreign.error.detail.find("not a file of Poseidon"), std::string::npos);

  options.path = folder.file("text.sqlite");
  auto* file = std::fopen(options.path.c_str(), "w");
  std::fputs(std::string(5000, 'x').c_str(), file);
  std::fclose(file);
  auto damaged = spawn_sqlite_log(system, options, time);
  EXPECT_EQ(damaged.error.code, errc::internal);
}

TEST(durable_entries, are_those_of_administration) {
  EXPECT_TRUE(is_durable(put_key_entry{}));
  EXPECT_TRUE(is_durable(put_setting_entry{}));
  EXPECT_TRUE(is_durable(incarnation_entry{}));
  EXPECT_FALSE(is_durable(start_entry{}));
  EXPECT_FALSE(is_durable(running_entry{}));
}

} // namespace
} // namespace poseidon::test
