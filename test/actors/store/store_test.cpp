#include "actors/store/store_thread.hpp"

#include "test/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <sys/wait.h>
#include <unistd.h>

namespace poseidon::test {
namespace {

const store_schema first{"the test", {"CREATE TABLE t(x INTEGER PRIMARY KEY, y)"}};
const store_schema second{"the test", {first.upgrades[0], "ALTER TABLE t ADD COLUMN z DEFAULT 7"}};

std::int64_t value(sqlite& db, const std::string& sql) {
  auto query = db.prepare(sql);
  return query.step() ? query.integer_at(0) : -1;
}

TEST(store, an_older_schema_is_migrated_after_a_copy) {
  temporary_folder folder;
  auto path = folder.file("s.sqlite");
  (*open_store(path, first))->execute("INSERT INTO t VALUES(1, 2)");
  auto db = open_store(path, second);
  ASSERT_TRUE(db);
  EXPECT_EQ(value(**db, "SELECT z FROM t WHERE x = 1"), 7);
  auto copy = open_store(path + ".schema1", first);
  ASSERT_TRUE(copy);
  EXPECT_EQ(value(**copy, "SELECT y FROM t WHERE x = 1"), 2);
  EXPECT_EQ(open_store(path, first).error.code, errc::conflict); // now it is the newer one
}

TEST(store, a_failed_migration_changes_nothing) {
  temporary_folder folder;
  auto path = folder.file("s.sqlite");
  (*open_store(path, first))->execute("INSERT INTO t VALUES(1, 2)");
  EXPECT_FALSE(open_store(path, {"the test", {first.upgrades[0], "ALTER TABLE t ADD COLUMN z; NONSENSE"}}));
  auto db = open_store(path, first);
  ASSERT_TRUE(db) << db.error.detail;
  EXPECT_EQ(value(**db, "SELECT count(*) FROM pragma_table_info('t')"), 2);
}

class store_thread_test : public ::testing::Test {
protected:
  temporary_folder folder;
  std::shared_ptr<sqlite> db = *open_store(folder.file("s.sqlite"), first);
  static store_job insert(std::int64_t x, std::function<void(const failure&)> finished) {
    return {[x](sqlite& d) { d.execute("INSERT INTO t(x) VALUES(" + std::to_string(x) + ")"); }, std::move(finished), false, 1};
  }
};

TEST_F(store_thread_test, commits_what_waits_together_and_in_order) {
  std::vector<int> order;
  std::atomic<int> batches = 0;
  {
    std::promise<void> go;
    const auto gone = go.get_future().share(); // a job may run twice
    store_thread thread(db, {65'536, 4096, [&] { ++batches; }});
    thread.post({[&](sqlite&) { gone.wait(); }, [](const failure&) {}, false, 1});
    for (int i = 0; i < 1000; ++i) thread.post(insert(i, [&order, i](const failure& why) { if (!why) order.push_back(i); }));
    go.set_value();
  }
  ASSERT_EQ(order.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_LE(batches, 3);
}

TEST_F(store_thread_test, a_bad_job_does_not_spoil_its_neighbours) {
  std::vector<errc> results(3, errc::internal);
  {
    std::promise<void> go;
    const auto gone = go.get_future().share(); // a job may run twice
    store_thread thread(db, {});
    thread.post({[&](sqlite&) { gone.wait(); }, [](const failure&) {}, false, 1});
    for (int i = 0; i < 3; ++i) thread.post(insert(i / 2, [&results, i](const failure& why) { results[static_cast<std::size_t>(i)] = why.code; })); // 0, 0, 1
    go.set_value();
  }
  EXPECT_EQ(results[0], errc::ok);
  EXPECT_NE(results[1], errc::ok);
  EXPECT_EQ(results[2], errc::ok);
  EXPECT_EQ(value(*db, "SELECT count(*) FROM t"), 2);
}

TEST_F(store_thread_test, refuses_more_than_its_bound) {
  std::promise<void> go, running;
  const auto gone = go.get_future().share();
  store_thread thread(db, {4, 4096, {}});
  thread.post({[&](sqlite&) { running.set_value(); gone.wait(); }, [](const failure&) {}, false, 1});
  running.get_future().wait();
  int taken = 0;
  for (int i = 0; i < 10; ++i) taken += thread.post(insert(i, [](const failure&) {}));
  go.set_value();
  EXPECT_EQ(taken, 4);
}

/// What was reported as committed is there after kill -9, and in order.
TEST(store_crash, kill_9_loses_nothing_that_was_reported) {
  temporary_folder folder;
  auto path = folder.file("s.sqlite");
  int reported[2];
  ASSERT_EQ(::pipe(reported), 0);
  pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto db = open_store(path, first);
    store_thread thread(*db, {});
    for (std::int64_t x = 1;; ++x)
      while (!thread.post({[x](sqlite& d) { d.execute("INSERT INTO t(x) VALUES(" + std::to_string(x) + ")"); },
                           [x, &reported](const failure& why) { if (why || ::write(reported[1], &x, sizeof x) < 0) ::_exit(1); }, false, 1}))
        std::this_thread::yield();
  }
  ::close(reported[1]);
  std::int64_t last = 0;
  while (last < 20'000 && ::read(reported[0], &last, sizeof last) == sizeof last) {}
  ::kill(child, SIGKILL);
  for (std::int64_t more; ::read(reported[0], &more, sizeof more) == sizeof more;) last = more; // said before it died
  ::waitpid(child, nullptr, 0);
  ::close(reported[0]);
  EXPECT_GE(last, 20'000);
  auto db = open_store(path, first);
  ASSERT_TRUE(db);
  auto kept = value(**db, "SELECT count(*) FROM t");
  EXPECT_GE(kept, last);
  EXPECT_EQ(value(**db, "SELECT max(x) FROM t"), kept);
}

} // namespace
} // namespace poseidon::test
