// Timers: memory and speed of the heap, and how late 100,000 deadlines come with the real driver.

#include "actors/kit/actor_scheduler.hpp"
#include "actors/timers/timer_heap.hpp"
#include "bench/bench.hpp"
#include "nodes/host/host_clock.hpp"
#include "nodes/timer_driver.hpp"

#include <algorithm>
#include <latch>

namespace poseidon::bench {
namespace {

constexpr std::size_t million = 1'000'000;

std::vector<row> heap_alone() {
  timer_heap<std::uint64_t> heap;
  const auto from = thread_cpu_seconds();
  for (std::uint64_t i = 0; i < million; ++i) heap.arm(i, 1, {static_cast<std::int64_t>(i * 7919 % 3'600'000)});
  const auto armed = thread_cpu_seconds();
  const auto bytes = static_cast<double>(heap.memory_bytes()) / million;
  std::size_t fired = 0;
  for (std::int64_t now = 0; now < 3'600'000; now += 10) heap.take_due({now}, [&](std::uint64_t, std::uint64_t) { ++fired; });
  const auto done = thread_cpu_seconds();
  return {{"timers: one of a million", bytes, "B", {}, 64.0},
          {"timers: arm, of a million", (armed - from) / million * 1e6, "us"},
          {"timers: fire, of a million", (done - armed) / static_cast<double>(std::max<std::size_t>(fired, 1)) * 1e6, "us"}};
}


std::vector<row> lateness() {
  constexpr std::size_t count = 100'000;
  constexpr std::int64_t first_ms = 3'000, spread_ms = 5'000; // arming is over before the first is due
  caf::actor_system_config config;
  actor_scheduler::use(config);
  config.set("scheduler.max-throughput", 20);
  caf::actor_system system(config);
  auto time = std::make_shared<host_clock>();
  auto horizon = std::make_shared<timer_horizon>();
  auto timers = spawn_timers(system, horizon);
  auto lateness_ms = std::make_shared<std::vector<double>>(count);
  auto left = std::make_shared<std::latch>(count);
  {
    timer_driver driver(timers, horizon, time);
    const auto start = time->boot_now();
    const auto start_ms = now_seconds() * 1000;
    for (std::size_t i = 0; i < count; ++i) {
      const auto due = start + millis{first_ms + static_cast<std::int64_t>(i) * spread_ms / static_cast<std::int64_t>(count)};
      auto sink = system.spawn([=](timer_sink::pointer self) -> timer_sink::behavior_type {
        return {[=](const timer_due&) {
          (*lateness_ms)[i] = now_seconds() * 1000 - (start_ms + static_cast<double>((due - start).count()));
          left->count_down();
          self->quit();
        }};
      });
      caf::anon_send(timers, arm_timer{sink, 1, due});
    }
    left->wait();
  }
  caf::anon_send_exit(timers, caf::exit_reason::user_shutdown);
  std::sort(lateness_ms->begin(), lateness_ms->end());
  return {{"timers: lateness of 100,000 deadlines, p50", (*lateness_ms)[count / 2], "ms"},
          {"timers: lateness of 100,000 deadlines, p99", (*lateness_ms)[count * 99 / 100], "ms", {}, 10.0},
          {"timers: lateness of 100,000 deadlines, worst", lateness_ms->back(), "ms"}};
}

const part timers_part{"timers", [] {
                         auto rows = heap_alone();
                         for (auto& r : lateness()) rows.push_back(r);
                         return rows;
                       }};

} // namespace
} // namespace poseidon::bench
