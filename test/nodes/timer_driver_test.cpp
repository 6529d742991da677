#include "nodes/timer_driver.hpp"

#include "test/support/real_clock.hpp"
#include "test/support/threaded_system.hpp"

#include <gtest/gtest.h>

#include <future>

namespace poseidon {
namespace {

/// Real time: each case waits for its own timer, and for nothing else.
struct timer_driver_test : testing::Test {
  test::threaded_system threads;
  std::shared_ptr<timer_horizon> horizon = std::make_shared<timer_horizon>();
  std::shared_ptr<const clock> time = std::make_shared<test::real_clock>();
  timers_actor timers = spawn_timers(threads.system, horizon);
  std::optional<timer_driver> driver{std::in_place, timers, horizon, time};
  std::vector<timer_sink> sinks;

  void TearDown() override {
    driver.reset();
    for (auto& sink : sinks) test::end(threads.system, sink);
    test::end(threads.system, timers);
  }
  /// When the timer came.
  std::future<boot_time> arm(boot_time due) {
    auto came = std::make_shared<std::promise<boot_time>>();
    sinks.push_back(threads.system.spawn([came, time = time]() -> timer_sink::behavior_type {
      return {[came, time](const timer_due&) { came->set_value(time->boot_now()); }};
    }));
    caf::anon_send(timers, arm_timer{sinks.back(), 1, due});
    return came->get_future();
  }
};

TEST_F(timer_driver_test, timers_come_never_early_in_whichever_order_they_were_armed) {
  const auto now = time->boot_now();
  auto far = arm(now + std::chrono::hours(24 * 365));
  auto late = arm(now + millis{60}), soon = arm(now + millis{20}), past = arm(now - millis{1'000});
  EXPECT_GE(past.get(), now - millis{1'000});
  EXPECT_GE(soon.get(), now + millis{20});
  EXPECT_GE(late.get(), now + millis{60});
  auto again = arm(time->boot_now() + millis{5}); // after it had nothing near to wait for
  again.get();
  EXPECT_EQ(far.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
}

TEST_F(timer_driver_test, many_that_are_due_at_once_all_come) {
  std::vector<std::future<boot_time>> all;
  const auto due = time->boot_now() + millis{10};
  for (int i = 0; i < 500; ++i) all.push_back(arm(due));
  for (auto& one : all) EXPECT_GE(one.get(), due);
}

TEST_F(timer_driver_test, it_ends_whatever_is_armed) {
  arm(time->boot_now() + std::chrono::hours(1));
  driver.reset();
}

} // namespace
} // namespace poseidon
