// What happened before somebody began to listen.

#include "actors/ledger/history.hpp"
#include "test/actors/fold/world.hpp"

namespace poseidon {
namespace {

struct history_test : ::testing::Test {
  one_node w;
  tail_contents tail;
  std::vector<ledger_change> live; ///< as a subscriber was told them

  void start(const std::string& user) {
    w.start(user);
    live.push_back(w.change);
  }
  /// A tail whose snapshot is the state now; what comes later is in its entries.
  void snapshot_now() {
    auto encoded = encode_snapshot(w.state);
    auto made = std::make_shared<tail_snapshot>();
    made->at = w.state.at;
    made->bytes = encoded.bytes;
    made->digest = encoded.digest;
    tail.snapshot = made;
  }
  outcome<ledger_history_ptr> read(struct position after, struct position up_to) {
    tail.entries = w.log; // some may be older than the snapshot
    return history_of(tail, {after, up_to});
  }
};

TEST_F(history_test, is_what_a_subscriber_would_have_been_told) {
  start("a");
  snapshot_now();
  start("b");
  const auto after = w.state.at;
  live.clear();
  for (auto user : {"c", "d", "e"}) start(user);
  const auto up_to = w.state.at;
  start("f");
  const auto history = read(after, up_to);
  ASSERT_TRUE(history) << history.error.detail;
  ASSERT_EQ((*history)->parts.size(), 1u);
  auto& part = (*history)->parts[0];
  EXPECT_EQ(part.image->at, after);
  EXPECT_EQ(part.image->instances.size(), 2u);
  ASSERT_EQ(part.changes.size(), 3u) << "and not what came after up_to";
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(part.changes[i].at, live[i].at);
    EXPECT_EQ(part.changes[i].cause->id, live[i].cause->id);
    ASSERT_EQ(part.changes[i].instances.size(), live[i].instances.size());
    EXPECT_EQ(part.changes[i].instances[0]->id, live[i].instances[0]->id);
  }
}

TEST_F(history_test, reads_without_a_snapshot) {
  start("a");
  const auto history = read({1, 1}, w.state.at);
  ASSERT_TRUE(history);
  EXPECT_EQ((*history)->parts[0].image->at, (position{1, 1}));
  EXPECT_EQ((*history)->parts[0].changes.back().at, w.state.at);
}

TEST_F(history_test, of_nothing_is_the_state) {
  start("a");
  snapshot_now();
  const auto history = read(w.state.at, w.state.at);
  ASSERT_TRUE(history);
  EXPECT_EQ((*history)->parts[0].image->at, w.state.at);
  EXPECT_TRUE((*history)->parts[0].changes.empty());
}

TEST_F(history_test, is_refused_when_the_copy_begins_later) {
  const auto before = w.state.at;
  start("a");
  snapshot_now();
  start("b");
  EXPECT_EQ(read(before, w.state.at).error.code, errc::stale);
}

TEST_F(history_test, begins_a_new_part_where_the_log_began_anew) {
  start("a");
  const auto after = w.state.at;
  start("b");
  auto snapshot = encode_snapshot(w.state);
  w.put(incarnation_entry{2, {2, 2}, {snapshot.bytes}, snapshot.digest}, {2, 1});
  start("c");
  const auto history = read(after, w.state.at);
  ASSERT_TRUE(history) << history.error.detail;
  ASSERT_EQ((*history)->parts.size(), 2u);
  EXPECT_EQ((*history)->parts[0].changes.size(), 1u);
  auto& second = (*history)->parts[1];
  EXPECT_EQ(second.image->at, (position{2, 1}));
  EXPECT_EQ(second.image->instances.size(), 2u);
  EXPECT_EQ(second.changes.size(), 1u);
  EXPECT_EQ(second.changes[0].at, w.state.at);
}

} // namespace
} // namespace poseidon
