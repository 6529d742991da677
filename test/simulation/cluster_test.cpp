// Clusters: seeds for a fixed time, or one seed again:
//   scripts/simulate 1000000
//   POSEIDON_SIMULATION_SECONDS=600 build/asan/test/test_simulation --gtest_filter=cluster_simulation.seeds
//   POSEIDON_SIMULATION_SEED=42 build/asan/test/test_simulation --gtest_filter=cluster_simulation.seeds
// POSEIDON_SIMULATION_TROUBLES=freeze,torn_log: these instead of what each seed picks.
// POSEIDON_SIMULATION_FOLLOW=<an instance's id>: prints the entries that name it.

#include "test/simulation/cluster_episode.hpp"
#include "test/simulation/environment.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace poseidon::simulation {
namespace {

std::string names_of(const std::set<trouble>& kinds) {
  std::string names;
  for (const auto kind : kinds) names += (names.empty() ? "" : ",") + std::string{to_string(kind)};
  return names;
}

std::optional<std::set<trouble>> troubles_from_environment() {
  const char* text = std::getenv("POSEIDON_SIMULATION_TROUBLES");
  if (!text) return std::nullopt;
  std::set<trouble> kinds;
  std::istringstream names{text};
  for (std::string name; std::getline(names, name, ',');)
    if (const auto kind = enum_from_string<trouble>(name)) kinds.insert(*kind);
    else ADD_FAILURE() << "POSEIDON_SIMULATION_TROUBLES: there is no " << name;
  return kinds;
}

void expect_clean(std::uint64_t seed, const cluster_result& result) {
  if (result.violations.empty()) return;
  for (auto& violation : result.violations) ADD_FAILURE() << violation;
  ADD_FAILURE() << "with " << names_of(result.troubles) << "; again: POSEIDON_SIMULATION_SEED=" << seed
                << (std::getenv("POSEIDON_SIMULATION_TROUBLES") ? " POSEIDON_SIMULATION_TROUBLES=" + names_of(result.troubles) : "")
                << " test_simulation --gtest_filter=cluster_simulation.seeds";
}

/// Every second seed re-creates what a lost node held.
cluster_plan plan_of(std::uint64_t seed) {
  cluster_plan plan;
  plan.troubles = troubles_from_environment();
  plan.recreate_lost = seed % 2 == 1;
  return plan;
}

TEST(cluster_simulation, without_faults_everything_starts_and_ends_on_every_node) {
  cluster_plan plan;
  plan.size.nodes = 2;
  plan.size.gateways = 1;
  plan.troubles.emplace();
  plan.storm = millis{10'000};
  const auto result = run_cluster(1, plan);
  expect_clean(1, result);
  EXPECT_GT(result.ended, 100u);
  EXPECT_EQ(result.losses, 0u);
}

TEST(cluster_simulation, the_same_seed_gives_the_same_run) {
  cluster_plan plan;
  plan.storm = millis{5'000};
  plan.troubles = {trouble::crash_node, trouble::crash_gateway, trouble::freeze};
  const auto one = run_cluster(7, plan), two = run_cluster(7, plan);
  EXPECT_EQ(one.starts, two.starts);
  EXPECT_EQ(one.crashes, two.crashes);
  EXPECT_EQ(one.messages, two.messages);
  EXPECT_EQ(one.ended, two.ended);
}

/// A few seconds of it, from a few seeds.
void expect_clean_with(std::set<trouble> troubles, std::uint64_t seeds) {
  for (std::uint64_t seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed) {
    cluster_plan plan;
    plan.troubles = troubles;
    plan.storm = millis{6'000};
    const auto result = run_cluster(seed, plan);
    expect_clean(seed, result);
    EXPECT_GT(result.faults, 0u);
    EXPECT_GT(result.ended, 50u);
  }
}

TEST(cluster_simulation, a_torn_log_forgets_nothing_that_was_answered) { expect_clean_with({trouble::torn_log}, 3); }

TEST(cluster_simulation, members_whose_place_in_the_log_is_gone_take_the_state_from_others) {
  expect_clean_with({trouble::trim_log, trouble::lose_tail, trouble::cut_log}, 2);
}

TEST(cluster_simulation, seeds) {
  const auto only = number_from("POSEIDON_SIMULATION_SEED", 0);
  const auto limit = seconds_of(cluster_share_percent);
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t seeds = 0;
  cluster_result sum;
  for (auto seed = only ? only : 1; !HasFailure(); ++seed) {
    const auto result = run_cluster(seed, plan_of(seed));
    expect_clean(seed, result);
    ++seeds, sum.starts += result.starts, sum.crashes += result.crashes, sum.faults += result.faults, sum.ended += result.ended;
    sum.losses += result.losses, sum.messages += result.messages;
    if (only || std::chrono::steady_clock::now() - began > limit) break;
  }
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("cluster simulation: %llu seeds, %.2f a second; %llu starts, %llu lifecycles, %.0f a second; %llu faults, %llu crashes, %llu losses of nodes\n",
              static_cast<unsigned long long>(seeds), static_cast<double>(seeds) / seconds, static_cast<unsigned long long>(sum.starts),
              static_cast<unsigned long long>(sum.ended), static_cast<double>(sum.ended) / seconds, static_cast<unsigned long long>(sum.faults),
              static_cast<unsigned long long>(sum.crashes), static_cast<unsigned long long>(sum.losses));
  EXPECT_GT(sum.ended, 0u);
}

} // namespace
} // namespace poseidon::simulation
