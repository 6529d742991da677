#include "actors/log/memory_log.hpp"

#include "test/actors/log/log_fixture.hpp"
#include "test/support/actor_fixture.hpp"

namespace poseidon::test {
namespace {

struct received {
  std::vector<std::uint64_t> sequences;
  std::vector<errc> failed;
  std::vector<bool> connections;
};

log_sink spawn_sink(caf::actor_system& system, std::shared_ptr<received> into) {
  return system.spawn([into](log_sink::pointer) -> log_sink::behavior_type {
    return {
        [into](const log_batch& b) { for (auto& e : *b.entries) into->sequences.push_back(e.sequence); },
        [into](const log_append_failed& f) { into->failed.push_back(f.why.code); },
        [into](const log_connection& c) { into->connections.push_back(c.connected); },
    };
  });
}

class memory_log_test : public actor_test {
protected:
  memory_log_test() : log(spawn_memory_log(system, {store, faults, &time})), sink(spawn_sink(system, got)) { follow(0); }
  ~memory_log_test() override {
    caf::anon_send_exit(log, caf::exit_reason::kill);
    caf::anon_send_exit(sink, caf::exit_reason::kill);
    run();
  }
  outcome<log_extent> follow(std::uint64_t after) { return *world.answer_now<outcome<log_extent>>(log, follow_log{sink, after}); }
  void append(std::size_t count) {
    append_to_log m{sink, {}};
    for (std::size_t i = 0; i < count; ++i) {
      auto made = std::make_shared<entry>();
      made->id = mint<entry_id>(random);
      m.entries.push_back(made);
    }
    caf::anon_send(log, m);
    run();
  }

  std::shared_ptr<memory_log_store> store = std::make_shared<memory_log_store>();
  std::shared_ptr<memory_log_faults> faults = std::make_shared<memory_log_faults>();
  std::shared_ptr<received> got = std::make_shared<received>();
  counted_random random;
  memory_log_actor log;
  log_sink sink;
};

TEST_F(memory_log_test, refused_lost_and_unacknowledged_appends) {
  faults->fail_appends = 1;
  append(1);
  faults->lose_appends = 1;
  append(1);
  faults->lose_acks = 1;
  append(1);
  EXPECT_EQ(got->failed, (std::vector<errc>{errc::ledger_unavailable, errc::unknown_outcome}));
  EXPECT_EQ(got->sequences, (std::vector<std::uint64_t>{1})); // the unacknowledged one is there
}

TEST_F(memory_log_test, duplicated_appends) {
  faults->duplicate_appends = 1;
  append(1);
  EXPECT_EQ(got->sequences, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(store->at(1)->what->id, store->at(2)->what->id);
}

TEST_F(memory_log_test, held_appends_come_when_released) {
  faults->hold = true;
  append(2);
  EXPECT_TRUE(got->sequences.empty());
  faults->hold = false;
  caf::anon_send(log, release_held{});
  run();
  EXPECT_EQ(got->sequences, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(memory_log_test, away_and_back) {
  caf::anon_send(log, log_connection{false});
  append(1);
  EXPECT_EQ(got->failed.size(), 1u);
  EXPECT_EQ(follow(0).error.code, errc::ledger_unavailable);
  caf::anon_send(log, log_connection{true});
  append(1);
  EXPECT_TRUE(got->sequences.empty()); // stands still until it follows anew
  EXPECT_EQ(got->connections, (std::vector<bool>{false, true}));
  ASSERT_TRUE(follow(0));
  run();
  EXPECT_EQ(got->sequences, (std::vector<std::uint64_t>{1}));
}

TEST_F(memory_log_test, a_log_that_lost_its_end_sends_nothing_wrong) {
  append(10);
  store->roll_back(4);
  append(2);
  EXPECT_EQ(got->sequences.size(), 10u);
  EXPECT_EQ(got->connections, (std::vector<bool>{true})); // told to look
  EXPECT_EQ(follow(10).error.code, errc::not_found);
  ASSERT_TRUE(follow(4));
  run();
  EXPECT_EQ(got->sequences.size(), 12u);
}

TEST_F(memory_log_test, a_wiped_log_is_another_one) {
  auto before = follow(0)->log;
  append(3);
  store->wipe();
  caf::anon_send(log, log_connection{true});
  run();
  auto extent = follow(0);
  EXPECT_NE(extent->log, before);
  EXPECT_EQ(extent->last, 0u);
}

TEST(log_follower, is_sent_a_bounded_number_ahead) {
  log_follower f;
  EXPECT_EQ(sendable(f, 0), 0u);
  EXPECT_EQ(sendable(f, 10), 10u);
  EXPECT_EQ(sendable(f, 1'000'000), log_batch_entries);
  f.sent = log_window_entries - 3;
  EXPECT_EQ(sendable(f, 1'000'000), 3u);
  f.sent = log_window_entries;
  EXPECT_EQ(sendable(f, 1'000'000), 0u);
  f.consumed = 100;
  EXPECT_EQ(sendable(f, 1'000'000), 100u);
  f.halted = true;
  EXPECT_EQ(sendable(f, 1'000'000), 0u);
}

TEST(recent_entries, keeps_the_last_ones) {
  recent_entries recent(3);
  for (std::uint64_t n = 5; n < 10; ++n) recent.push({n, {}, nullptr, nullptr});
  EXPECT_FALSE(recent.holds(6));
  EXPECT_TRUE(recent.holds(7));
  EXPECT_TRUE(recent.holds(9));
  EXPECT_FALSE(recent.holds(10));
  EXPECT_EQ(recent.copy(8, 10).size(), 2u);
  EXPECT_EQ(recent.copy(8, 1).front().sequence, 8u);
  recent.push({20, {}, nullptr, nullptr}); // a gap: nothing before it is of use
  EXPECT_FALSE(recent.holds(9));
}

} // namespace
} // namespace poseidon::test
