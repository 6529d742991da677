#pragma once
// One seed of a cluster: users at random gateways, faults of the kinds that the seed picks, then quiet; assertions all the way.

#include "test/simulation/cluster_troubles.hpp"

namespace poseidon::simulation {

struct cluster_plan {
  cluster_size size;
  std::uint32_t users = 400;
  millis storm{40'000};      ///< virtual time with users and faults
  millis between_users{25};  ///< at most, between two wishes
  millis between_faults{1'500};
  std::optional<std::set<trouble>> troubles; ///< nothing: the seed picks
  bool recreate_lost = false;
};

struct cluster_result {
  std::deque<std::string> violations;
  std::set<trouble> troubles;
  std::uint64_t starts = 0, faults = 0, crashes = 0, losses = 0, ended = 0, messages = 0;
};

cluster_result run_cluster(std::uint64_t seed, const cluster_plan& plan);

} // namespace poseidon::simulation
