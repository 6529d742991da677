#include "actors/timers/timer_heap.hpp"
#include "actors/timers/timers.hpp"
#include "test/support/actor_fixture.hpp"

#include <map>
#include <random>

using namespace poseidon;
using namespace std::chrono_literals;

namespace {

using heap = timer_heap<std::uint64_t>;

TEST(timer_heap, fires_in_order_of_time_and_never_early) {
  heap h;
  h.arm(1, 1, {30});
  h.arm(2, 1, {10});
  h.arm(1, 2, {20});
  EXPECT_EQ(h.next(), boot_time{10});
  std::vector<std::uint64_t> owners;
  auto fire = [&](std::uint64_t owner, std::uint64_t) { owners.push_back(owner); };
  EXPECT_EQ(h.take_due({9}, fire), 0u);
  EXPECT_EQ(h.take_due({29}, fire), 2u);
  EXPECT_EQ(owners, (std::vector<std::uint64_t>{2, 1}));
  EXPECT_EQ(h.take_due({30}, fire), 1u);
  EXPECT_FALSE(h.next());
}

TEST(timer_heap, arming_again_moves_it_both_ways) {
  heap h;
  h.arm(1, 1, {30});
  h.arm(2, 2, {20});
  h.arm(1, 1, {10});
  EXPECT_EQ(h.size(), 2u);
  EXPECT_EQ(h.next(), boot_time{10});
  h.arm(1, 1, {40});
  EXPECT_EQ(h.next(), boot_time{20});
}

TEST(timer_heap, disarms_one_and_all_of_an_owner) {
  heap h;
  for (std::uint64_t token = 0; token < 100; ++token)
    for (std::uint64_t owner = 1; owner <= 3; ++owner) h.arm(owner, token, {static_cast<std::int64_t>(1000 - token)});
  EXPECT_TRUE(h.disarm(2, 50));
  EXPECT_FALSE(h.disarm(2, 50));
  EXPECT_EQ(h.disarm_all(2), 99u);
  EXPECT_EQ(h.disarm_all(2), 0u);
  EXPECT_EQ(h.size(), 200u);
}

TEST(timer_heap, a_timer_armed_while_firing_is_kept) {
  heap h;
  h.arm(1, 1, {10});
  h.take_due({10}, [&](std::uint64_t owner, std::uint64_t token) { h.arm(owner, token, {20}); });
  EXPECT_EQ(h.next(), boot_time{20});
}

TEST(timer_heap, agrees_with_a_plain_model_over_random_histories) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    heap h;
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::int64_t> model;
    std::int64_t now = 0;
    for (int step = 0; step < 4000; ++step) {
      const std::uint64_t owner = random() % 40, token = random() % 8;
      switch (random() % 5) {
      case 0: case 1: {
        const std::int64_t due = now + static_cast<std::int64_t>(random() % 500);
        h.arm(owner, token, {due});
        model[{owner, token}] = due;
        break;
      }
      case 2: ASSERT_EQ(h.disarm(owner, token), model.erase({owner, token}) == 1); break;
      case 3:
        if (random() % 10 == 0) {
          ASSERT_EQ(h.disarm_all(owner), std::erase_if(model, [&](auto& e) { return e.first.first == owner; }));
        }
        break;
      default: {
        now += static_cast<std::int64_t>(random() % 20);
        std::int64_t last = 0;
        h.take_due({now}, [&](std::uint64_t o, std::uint64_t t) {
          auto it = model.find({o, t});
          ASSERT_NE(it, model.end());
          ASSERT_LE(it->second, now);
          ASSERT_GE(it->second, last);
          last = it->second;
          model.erase(it);
        });
        for (auto& [key, due] : model) ASSERT_GT(due, now);
      }
      }
      ASSERT_EQ(h.size(), model.size());
    }
  }
}

TEST(timer_heap, a_million_timers_cost_at_most_64_bytes_each) {
  for (const std::uint64_t tokens_per_owner : {1u, 3u, 1000u}) {
    heap h;
    const std::uint64_t count = 1'000'000;
    for (std::uint64_t i = 0; i < count; ++i) h.arm(i / tokens_per_owner, i % tokens_per_owner, {static_cast<std::int64_t>(i * 7919 % 3'600'000)});
    EXPECT_LE(h.memory_bytes() / count, 64u) << tokens_per_owner << " timers an owner";
  }
}

struct sink_state {
  std::vector<std::pair<std::uint64_t, boot_time>> fired;
};

struct timers_test : test::actor_test {
  caf::actor sink_handle;
  std::shared_ptr<sink_state> seen = std::make_shared<sink_state>();
  timer_sink sink;
  void SetUp() override {
    sink = system.spawn([seen = seen]() -> timer_sink::behavior_type {
      return {[seen](const timer_due& due) { seen->fired.emplace_back(due.token, due.now); }};
    });
  }
  void TearDown() override { caf::anon_send_exit(sink, caf::exit_reason::kill); }
  void arm(std::uint64_t token, millis after) { caf::anon_send(world.timers, arm_timer{sink, token, time.boot_now() + after}); }
};

TEST_F(timers_test, tells_the_sink_at_the_millisecond) {
  const auto start = time.boot_now();
  arm(1, 3'600'000ms);
  arm(2, 10ms);
  advance(4'000'000ms);
  ASSERT_EQ(seen->fired.size(), 2u);
  EXPECT_EQ(seen->fired[0], (std::pair<std::uint64_t, boot_time>{2, start + 10ms}));
  EXPECT_EQ(seen->fired[1], (std::pair<std::uint64_t, boot_time>{1, start + 3'600'000ms}));
}

TEST_F(timers_test, disarmed_ones_stay_silent_and_the_driver_sleeps) {
  arm(1, 10ms);
  arm(2, 20ms);
  caf::anon_send(world.timers, disarm_timer{sink, 1});
  caf::anon_send(world.timers, disarm_all{sink});
  run();
  EXPECT_FALSE(world.horizon->wants_tick(time.boot_now() + std::chrono::hours(1000)));
  advance(100ms);
  EXPECT_TRUE(seen->fired.empty());
}

TEST_F(timers_test, one_past_due_fires_with_the_next_tick) {
  arm(1, -50ms);
  advance(1ms);
  EXPECT_EQ(seen->fired.size(), 1u);
}

} // namespace
