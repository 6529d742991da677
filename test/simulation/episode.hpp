#pragma once
// One seed: users at random, faults at random, then quiet; assertions all the way.

#include "test/simulation/simulated_process.hpp"

#include <set>

namespace poseidon::simulation {

struct episode_size {
  std::uint32_t users = 2000;
  millis storm{12'000};    ///< virtual time with users and faults
  millis settle{60'000};   ///< virtual time afterwards, until nothing may be left
  bool faults = true;
};

struct episode_result {
  std::vector<std::string> violations; ///< empty: all held
  std::uint64_t starts = 0, crashes = 0, faults = 0, ended = 0;
};

episode_result run_episode(std::uint64_t seed, const episode_size& size);

} // namespace poseidon::simulation
