#include "bench/bench.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <gperftools/malloc_extension_c.h>
#include <stdexcept>

namespace poseidon::bench {
namespace {

std::vector<std::pair<std::string, run_part>>& registry() {
  static std::vector<std::pair<std::string, run_part>> parts;
  return parts;
}

double seconds_of(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

} // namespace

part::part(std::string name, run_part run) {
  auto& all = registry();
  const auto at = std::lower_bound(all.begin(), all.end(), name, [](const auto& have, const auto& want) { return have.first < want; });
  all.insert(at, {std::move(name), std::move(run)});
}

const std::vector<std::pair<std::string, run_part>>& all_parts() { return registry(); }

double thread_cpu_seconds() { return seconds_of(CLOCK_THREAD_CPUTIME_ID); }
double process_cpu_seconds() { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }
double now_seconds() { return seconds_of(CLOCK_MONOTONIC); }

std::size_t heap_bytes() {
  std::size_t allocated = 0;
  if (MallocExtension_GetNumericProperty("generic.current_allocated_bytes", &allocated) == 0)
    throw std::runtime_error("the heap keeps no statistics");
  return allocated;
}

} // namespace poseidon::bench
