// Seeds for a fixed time, or one seed again:
//   POSEIDON_SIMULATION_SECONDS=600 build/asan/test/test_simulation
//   POSEIDON_SIMULATION_SEED=42 build/asan/test/test_simulation

#include "test/simulation/environment.hpp"
#include "test/simulation/episode.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace poseidon::simulation {
namespace {

void expect_clean(std::uint64_t seed, const episode_result& result) {
  for (auto& violation : result.violations)
    ADD_FAILURE() << violation << "\n  again: POSEIDON_SIMULATION_SEED=" << seed << " test_simulation --gtest_filter=simulation.seeds";
}

TEST(simulation, without_faults_everything_starts_and_ends) {
  episode_size size;
  size.faults = false;
  size.storm = millis{4'000};
  const auto result = run_episode(1, size);
  expect_clean(1, result);
  EXPECT_GT(result.ended, 200u);
  EXPECT_EQ(result.crashes, 0u);
}

TEST(simulation, the_same_seed_gives_the_same_run) {
  episode_size size;
  size.storm = millis{3'000};
  const auto one = run_episode(7, size), two = run_episode(7, size);
  EXPECT_EQ(one.starts, two.starts);
  EXPECT_EQ(one.faults, two.faults);
  EXPECT_EQ(one.crashes, two.crashes);
  EXPECT_EQ(one.ended, two.ended);
}

TEST(simulation, seeds) {
  const auto only = number_from("POSEIDON_SIMULATION_SEED", 0);
  const auto limit = seconds_of(process_share_percent);
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t seeds = 0, starts = 0, crashes = 0, faults = 0, ended = 0;
  for (auto seed = only ? only : 100; !HasFailure(); ++seed) {
    const auto result = run_episode(seed, {});
    expect_clean(seed, result);
    ++seeds, starts += result.starts, crashes += result.crashes, faults += result.faults, ended += result.ended;
    if (only || std::chrono::steady_clock::now() - began > limit) break;
  }
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("simulation: %llu seeds, %.2f a second; %llu starts, %llu ends, %llu faults, %llu crashes\n", static_cast<unsigned long long>(seeds),
              static_cast<double>(seeds) / seconds, static_cast<unsigned long long>(starts), static_cast<unsigned long long>(ended),
              static_cast<unsigned long long>(faults), static_cast<unsigned long long>(crashes));
  EXPECT_GT(ended, 0u);
}

} // namespace
} // namespace poseidon::simulation
