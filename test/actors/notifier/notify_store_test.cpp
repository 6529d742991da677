#include "actors/notifier/notify_store.hpp"

#include "test/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include <sys/wait.h>
#include <unistd.h>

namespace poseidon::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using names = std::vector<std::string>;

constexpr wall_time now{1'000'000};

notification_ptr event_of(std::uint64_t sequence, const std::string& instance = "i", std::string body = {}) {
  auto made = std::make_shared<notification>();
  made->at = {1, sequence};
  made->id = to_string(made->at);
  made->type = "instance.running";
  made->instance = instance;
  made->challenge = "web";
  made->body = body.empty() ? "{\"id\":\"" + made->id + "\"}" : std::move(body);
  return made;
}

/// The store, asked as one asks a function.
struct notify_store_test : ::testing::Test {
  temporary_folder folder;
  std::shared_ptr<notify_store> store;

  std::shared_ptr<notify_store> open_file() const {
    auto opened = open_sqlite_notify_store(folder.file("notify.sqlite"));
    return opened ? *opened : nullptr;
  }
  template <class T, class Call>
  static outcome<T> wait(Call call) {
    std::promise<outcome<T>> promise;
    call([&promise](outcome<T> value) { promise.set_value(std::move(value)); });
    return promise.get_future().get();
  }
  notify_start begin(const names& receivers, struct position at = {1, 1}) {
    store.reset();
    store = open_file();
    auto start = wait<notify_start>([&](auto answer) { store->open(receivers, at, now, answer); });
    EXPECT_TRUE(start) << start.error.detail;
    return *start;
  }
  put_result put(struct position cursor, std::vector<new_item> items) {
    auto done = wait<put_result>([&](auto answer) { store->put({cursor, std::move(items), now}, answer); });
    EXPECT_TRUE(done) << done.error.detail;
    return *done;
  }
  std::vector<stored_item> load(const std::string& receiver, std::uint64_t after = 0, std::size_t most = 100) {
    return *wait<std::vector<stored_item>>([&](auto answer) { store->load(receiver, after, most, answer); });
  }
  std::vector<dead_letter> dead(list_dead_letters what = {}) {
    return wait<dead_letters>([&](auto answer) { store->list(what, answer); })->items;
  }
};

TEST_F(notify_store_test, keeps_events_and_cursor_over_a_restart) {
  auto start = begin({"a", "b"});
  EXPECT_FALSE(start.cursor);
  EXPECT_EQ(start.since["a"], (position{1, 1}));
  const std::string body("binary \0 and ünicode", 20);
  const auto done = put({1, 9}, {{"a", event_of(7, "x", body)}, {"a", event_of(8)}, {"b", event_of(8)}});
  EXPECT_EQ(done.added.at("a"), 2u);
  start = begin({"a", "b"}, {1, 50});
  EXPECT_EQ(start.cursor, (position{1, 9}));
  EXPECT_EQ(start.since["a"], (position{1, 1})) << "known receivers keep their place";
  EXPECT_EQ(start.counts["a"].pending, 2u);
  const auto items = load("a");
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].what->id, "1-7");
  EXPECT_EQ(items[0].what->body, body);
  EXPECT_EQ(items[0].what->instance, "x");
  EXPECT_EQ(items[0].what->challenge, "web");
  EXPECT_EQ(items[0].what->at, (position{1, 7}));
  EXPECT_EQ(items[0].stored_at, now);
  EXPECT_LT(items[0].row, items[1].row);
  EXPECT_EQ(load("a", items[0].row).size(), 1u);
  EXPECT_EQ(load("a", 0, 1).size(), 1u);
}

TEST_F(notify_store_test, takes_an_event_once_and_never_gives_a_row_again) {
  begin({"a"});
  put({1, 2}, {{"a", event_of(2)}});
  EXPECT_THAT(put({1, 2}, {{"a", event_of(2)}}).added, IsEmpty());
  const auto row = load("a")[0].row;
  store->drop(row);
  put({1, 3}, {{"a", event_of(3)}});
  EXPECT_GT(load("a")[0].row, row);
  begin({"a"});
  EXPECT_EQ(load("a").size(), 1u);
}

TEST_F(notify_store_test, buries_lists_and_replays) {
  begin({"a", "b"});
  put({1, 9}, {{"a", event_of(2)}, {"a", event_of(3)}, {"b", event_of(3)}});
  store->bury({load("a")[0].row, 4, "answered 404", {now.ms + 5}});
  store->bury({load("b")[0].row, 1, "too late", {now.ms + 9}});
  EXPECT_EQ(load("a").size(), 1u);
  auto all = dead();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].receiver, "a");
  EXPECT_EQ(all[0].event, "1-2");
  EXPECT_EQ(all[0].attempts, 4u);
  EXPECT_EQ(all[0].reason, "answered 404");
  EXPECT_EQ(all[0].died_at.ms, now.ms + 5);
  EXPECT_EQ(dead({all[0].id, 100, {}}).size(), 1u);
  EXPECT_EQ(dead({0, 100, "b"}).size(), 1u);
  const auto page = wait<dead_letters>([&](auto answer) { store->list({0, 1, {}}, answer); });
  EXPECT_TRUE(page->more);
  using counts = std::map<std::string, std::uint64_t>;
  auto replay = [&](replay_dead_letters what) { return *wait<counts>([&](auto answer) { store->replay(what, {now.ms + 100}, answer); }); };
  EXPECT_THAT(replay({77, {}}), IsEmpty());
  EXPECT_THAT(replay({all[0].id, {}}), ElementsAre(testing::Pair("a", 1)));
  const auto back = load("a");
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[1].what->id, "1-2") << "behind what waits";
  EXPECT_EQ(back[1].what->body, "{\"id\":\"1-2\"}");
  EXPECT_EQ(back[1].stored_at.ms, now.ms + 100) << "its time begins anew";
  EXPECT_THAT(replay({0, "a"}), IsEmpty());
  EXPECT_THAT(replay({0, {}}), ElementsAre(testing::Pair("b", 1)));
  EXPECT_THAT(dead(), IsEmpty());
}

TEST_F(notify_store_test, keeps_what_a_receiver_waited_for_that_is_no_longer_there) {
  begin({"a", "gone"});
  put({1, 9}, {{"gone", event_of(2)}, {"gone", event_of(3)}});
  auto start = begin({"a"}, {1, 20});
  EXPECT_EQ(start.since.size(), 1u);
  EXPECT_EQ(start.counts["gone"].dead, 2u);
  ASSERT_EQ(dead().size(), 2u);
  EXPECT_EQ(dead()[0].reason, "the receiver is no longer configured");
  using counts = std::map<std::string, std::uint64_t>;
  EXPECT_THAT(*wait<counts>([&](auto answer) { store->replay({0, {}}, now, answer); }), IsEmpty()) << "nobody to send it to";
  start = begin({"a", "gone"}, {1, 30});
  EXPECT_EQ(start.since["gone"], (position{1, 30})) << "as a new one";
  EXPECT_THAT(*wait<counts>([&](auto answer) { store->replay({0, {}}, now, answer); }), ElementsAre(testing::Pair("gone", 2)));
}

TEST_F(notify_store_test, forgets_old_dead_letters_and_bounds_their_number) {
  begin({"a"});
  std::vector<new_item> many;
  for (std::uint64_t i = 0; i < most_dead_letters + 500; ++i) many.push_back({"a", event_of(100 + i)});
  put({1, 1}, std::move(many));
  for (auto& item : load("a", 0, most_dead_letters + 500)) store->bury({item.row, 1, "x", {now.ms + static_cast<std::int64_t>(item.row)}});
  using counts = std::map<std::string, stored_counts>;
  auto forget = [&](wall_time before) { return *wait<counts>([&](auto answer) { store->forget(before, before, answer); }); };
  const auto kept = forget({0})["a"].dead;
  EXPECT_GE(kept, most_dead_letters);
  EXPECT_LE(kept, most_dead_letters + 256);
  EXPECT_THAT(forget({now.ms + 10'000'000}), IsEmpty());
}

TEST_F(notify_store_test, what_it_said_it_has_survives_kill_9) {
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    store = open_file();
    wait<notify_start>([&](auto answer) { store->open({"a"}, {1, 1}, now, answer); });
    for (std::uint64_t i = 2;; ++i) {
      store->put({{1, i}, {{"a", event_of(i)}}, now}, [i, &told](const outcome<put_result>& done) {
        if (!done || ::write(told[1], &i, sizeof i) != sizeof i) ::_exit(1);
      });
      if (i % 64 == 0) wait<std::vector<stored_item>>([&](auto answer) { store->load("a", 0, 1, answer); });
    }
  }
  std::uint64_t last = 0;
  while (last < 500) ASSERT_EQ(::read(told[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(told[1]);
  for (std::uint64_t more = 0; ::read(told[0], &more, sizeof more) == static_cast<ssize_t>(sizeof more);) last = more;
  ::close(told[0]);
  const auto start = begin({"a"});
  ASSERT_TRUE(start.cursor);
  EXPECT_GE(start.cursor->sequence, last);
  const auto items = load("a", 0, 1'000'000);
  ASSERT_EQ(items.size(), start.cursor->sequence - 1) << "cursor and events are one commit";
  for (std::size_t i = 0; i < items.size(); ++i) ASSERT_EQ(items[i].what->at.sequence, i + 2);
}

} // namespace
} // namespace poseidon::test
