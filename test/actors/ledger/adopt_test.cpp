// A member whose place in the log is no more, because the log's beginning was dropped, takes the state from another (rule 13).

#include "test/actors/ledger/ledger_fixture.hpp"

namespace poseidon::test {
namespace {

/// The member under test is booted over `log_store`, whose beginning another member has dropped.
struct adopt_test : ledger_test {
  std::vector<other_members::member> heard;
  tail_snapshot_ptr given;
  std::vector<std::string> asked;

  /// What this member knows now, as another one would tell it.
  void give() {
    given = *world.answer_now<outcome<tail_snapshot_ptr>>(ledger, take_snapshot{}).value();
    heard = {{"n1", position{1, 1}}, {"g1", given->at}};
  }
  /// Drops the log's beginning: what is before `first`.
  void trim(std::uint64_t first) {
    log_store->entries.erase(log_store->entries.begin(), log_store->entries.begin() + static_cast<std::ptrdiff_t>(first - log_store->first));
    log_store->first = first;
  }
  void boot_in_cluster() {
    others.heard = [this] { return heard; };
    others.ask = [this](const std::string& process, std::function<void(outcome<tail_snapshot_ptr>)> then) {
      asked.push_back(process);
      then(given ? outcome<tail_snapshot_ptr>{given} : failure{errc::engine_unavailable, "nobody answers", {}, {}, {}});
    };
    boot();
  }
};

TEST_F(adopt_test, a_newcomer_takes_the_state_from_the_member_that_has_most) {
  set("a", "1"), set("b", "1");
  give();
  set("c", "1");
  const auto before = status();
  kill();
  trim(3);
  *tail_store = {};
  boot_in_cluster();
  EXPECT_EQ(asked, std::vector<std::string>{"g1"});
  EXPECT_EQ(status().digest, before.digest) << "and goes on from there";
  EXPECT_EQ(setting("a"), "1");
  EXPECT_EQ(setting("c"), "1");
  EXPECT_EQ(status().folded.incarnation, 1u) << "nothing is opened";
  EXPECT_TRUE(set("d", "1"));
  kill();
  others = {};
  boot();
  EXPECT_EQ(setting("a"), "1") << "it is in its tail";
  EXPECT_EQ(status().folded.incarnation, 1u);
}

TEST_F(adopt_test, a_newcomer_never_opens_a_log_that_has_lost_its_beginning) {
  set("a", "1"), set("b", "1");
  kill();
  trim(3);
  *tail_store = {};
  boot_in_cluster();
  const auto image = world.ask_later<ledger_image_ptr>(ledger, get_image{});
  advance(millis{120'000});
  EXPECT_EQ(log_store->entries.size(), 1u);
  EXPECT_FALSE(*image) << "it has nothing to show";
}

TEST_F(adopt_test, an_incarnation_that_lost_is_not_believed_where_the_one_that_won_was_dropped) {
  auto late = std::make_shared<entry>();
  late->id = {9, 9};
  late->appender = "n9";
  late->body = incarnation_entry{1, {9, 9}, {}, {}};
  log_store->append(late, time.wall_now());
  const auto loser = log_store->last();
  reconnect();
  set("a", "1"), set("b", "1");
  give();
  const auto before = status();
  kill();
  trim(loser);
  *tail_store = {};
  const auto who = std::exchange(heard, {});
  boot_in_cluster();
  advance(options.retry);
  heard = who;
  advance(options.retry);
  EXPECT_EQ(status().folded, before.folded);
  EXPECT_EQ(status().digest, before.digest) << "its state is the others'";
}

TEST_F(adopt_test, it_waits_until_somebody_is_heard) {
  set("a", "1"), set("b", "1");
  give();
  const auto who = std::exchange(heard, {});
  kill();
  trim(3);
  *tail_store = {};
  boot_in_cluster();
  EXPECT_TRUE(asked.empty());
  heard = who;
  advance(options.retry);
  EXPECT_EQ(setting("a"), "1");
}

TEST_F(adopt_test, an_answer_that_fails_is_asked_for_again) {
  set("a", "1"), set("b", "1");
  give();
  kill();
  trim(3);
  *tail_store = {};
  auto damaged = std::make_shared<tail_snapshot>(*given);
  damaged->bytes.back() ^= 1;
  const auto whole = std::exchange(given, nullptr);
  boot_in_cluster();
  given = damaged;
  advance(options.retry);
  given = whole;
  advance(options.retry);
  EXPECT_EQ(asked.size(), 3u);
  EXPECT_EQ(setting("a"), "1");
}

TEST_F(adopt_test, one_that_was_away_for_long_takes_it_too_and_tells_its_readers) {
  set("a", "1");
  kill();
  auto away = std::make_shared<memory_tail_store>(*tail_store);
  boot();
  set("a", "2"), set("b", "1");
  give();
  kill();
  trim(log_store->last());
  tail_store = away;
  heard.clear();
  boot_in_cluster();
  auto told = subscribe();
  EXPECT_EQ(told->image->admin.settings.at("a"), "1") << "what is known may be read meanwhile";
  heard = {{"g1", given->at}};
  advance(options.retry);
  EXPECT_EQ(setting("a"), "2");
  ASSERT_FALSE(told->changes.empty());
  EXPECT_EQ(told->changes.front().at, given->at);
  EXPECT_TRUE(std::holds_alternative<incarnation_entry>(told->changes.front().cause->body)) << "they take it as a new beginning";
  EXPECT_EQ(status().folded.incarnation, 1u);
  EXPECT_TRUE(set("c", "1"));
}

TEST_F(adopt_test, its_own_state_opens_the_log_when_nobody_else_is_left) {
  set("a", "1");
  kill();
  auto away = std::make_shared<memory_tail_store>(*tail_store);
  boot();
  set("a", "2"), set("b", "1");
  kill();
  trim(log_store->last());
  tail_store = away;
  boot_in_cluster();
  advance(millis{5'000});
  EXPECT_EQ(status().folded.incarnation, 1u) << "others may still be heard";
  advance(millis{6'000});
  EXPECT_EQ(status().folded.incarnation, 2u);
  EXPECT_EQ(setting("a"), "1");
}

TEST_F(adopt_test, a_follower_takes_it_as_well) {
  set("a", "1"), set("b", "1");
  give();
  kill();
  trim(3);
  *tail_store = {};
  options.leads = false;
  boot_in_cluster();
  EXPECT_EQ(setting("a"), "1");
}

TEST_F(adopt_test, a_torn_log_is_opened_without_asking_anybody) {
  set("a", "1");
  give();
  kill();
  log_store->wipe();
  boot_in_cluster();
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(status().folded.incarnation, 2u);
}

TEST_F(adopt_test, a_new_cluster_is_begun_at_once) {
  kill();
  *log_store = {};
  *tail_store = {};
  boot_in_cluster();
  EXPECT_EQ(status().folded, (position{1, 1}));
}

} // namespace
} // namespace poseidon::test
