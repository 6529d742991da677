// Whole lifecycles (start, running, stop, gone) through scheduler, ledger, supervisor, instance, journal and runtime, with the
// files of log, tail and journal and a simulated engine; and how fast a process takes over what runs.

#include "bench/bench.hpp"
#include "bench/simulated_users.hpp"

#include <stdexcept>

namespace poseidon::bench {
namespace {

std::vector<row> lifecycles() {
  constexpr std::size_t warm_up = 500, count = 10'000, together = 128;
  simulated_world w;
  run_users(w, warm_up, together, true);
  const auto cpu = process_cpu_seconds(), wall = now_seconds();
  run_users(w, count, together, true);
  const auto cpu_seconds = process_cpu_seconds() - cpu, wall_seconds = now_seconds() - wall;
  return {{"lifecycles: log and journal included, one core", count / cpu_seconds, "1/s", {}, 10'000.0, false},
          {"lifecycles: as above, by the clock", count / wall_seconds, "1/s"}};
}

std::vector<row> adoption() {
  constexpr std::size_t count = 1'000;
  simulated_world w;
  run_users(w, count, 64, false);
  w.node.reset();
  const auto from = now_seconds();
  w.begin();
  wait_until([&] { return w.node->routes() == count && w.node->registered(); }, "every instance is adopted");
  const auto took = now_seconds() - from;
  if (w.engine->running() != count) throw std::runtime_error("containers were lost on the way");
  return {{"adoption: 1,000 instances at the process's start", took, "s", {}, 2.0}};
}

const part lifecycles_part{"lifecycles", lifecycles};
const part adoption_part{"adoption", adoption};

} // namespace
} // namespace poseidon::bench
