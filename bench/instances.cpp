// The instance actor by itself: what a live one costs in memory, and what a lifecycle costs in time, among ports that answer
// at once and a journal that forgets. Engine, journal and edge are measured by their own parts.

#include "bench/bench.hpp"
#include "bench/instant_ports.hpp"
#include "test/support/actor_world.hpp"

namespace poseidon::bench {
namespace {

std::shared_ptr<const clock> shared(const clock& time) { return {std::shared_ptr<void>{}, &time}; }

row bytes_a_live_instance() {
  constexpr std::size_t count = 100'000;
  constexpr millis six_minutes{360'000}; // longer than any request of a start may take
  test::actor_world world;
  instant_ports ports(world.system);
  const auto deps = ports.deps(world.timers, shared(world.time));
  const auto spec = one_service();
  std::vector<instance_actor> live;
  live.reserve(count);
  const auto before = heap_bytes();
  for (std::size_t i = 0; i < count; ++i) {
    live.push_back(spawn_instance(world.system, deps, {std::make_shared<const journal_record>(record_of(i, spec, world.time.wall_now())), false}));
    if (i % 100 == 99) world.run();
  }
  world.advance(six_minutes); // CAF keeps the timeout of a request until it is over, whether or not it was answered
  const auto grown = static_cast<double>(heap_bytes() - before) / count;
  for (auto& one : live) caf::anon_send_exit(one, caf::exit_reason::kill);
  live.clear();
  world.run();
  return {"instance: one that runs, and its timer, of 100,000", grown, "B", {}, 2048.0};
}

row lifecycles_a_second() {
  constexpr std::size_t count = 20'000, together = 100;
  test::actor_world world;
  instant_ports ports(world.system);
  const auto deps = ports.deps(world.timers, shared(world.time));
  const auto spec = one_service();
  const auto from = thread_cpu_seconds();
  for (std::size_t i = 0; i < count; i += together) {
    std::vector<instance_actor> live;
    for (std::size_t k = 0; k < together; ++k)
      live.push_back(spawn_instance(world.system, deps, {std::make_shared<const journal_record>(record_of(i + k, spec, world.time.wall_now())), false}));
    world.run();
    for (auto& one : live) caf::anon_send(one, stop_instance{{}, end_reason::stopped, "key:platform"});
    world.run();
  }
  return {"instance: lifecycles, ports at once, one core", count / (thread_cpu_seconds() - from), "1/s", {}, 10'000.0, false};
}

const part instances_part{"instance", [] { return std::vector<row>{bytes_a_live_instance(), lifecycles_a_second()}; }};

} // namespace
} // namespace poseidon::bench
