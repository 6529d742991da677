#include "config/limits.hpp"

namespace poseidon::config {

limit_table limits_of(const settings& values) {
  limit_table table;
  table.per_owner = values.limits.per_owner;
  table.per_user = values.limits.per_user;
  table.per_team = values.limits.per_team;
  table.per_challenge = values.limits.per_challenge;
  table.per_node = values.limits.per_node;
  table.cluster = values.limits.cluster;
  table.cost_per_owner = values.limits.cost_per_owner;
  table.cost_cluster = values.limits.cost_cluster;
  table.queue = values.limits.queue;
  table.recreate_lost = values.nodes.recreate_lost;
  table.weight_cpu = values.placement.cpu.value * 10;
  table.weight_memory = values.placement.memory.value * 10;
  table.weight_count = values.placement.containers.value * 10;
  table.pack = values.placement.strategy == placement_strategy::pack;
  return table;
}

} // namespace poseidon::config
