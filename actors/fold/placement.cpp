#include "actors/fold/placement.hpp"

#include <algorithm>

namespace poseidon {
namespace {

std::uint64_t permille(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return 1000;
  if (part >= whole) return 1000;
  // Shifted down first, so that the product can't overflow.
  while (part > (~0ull) / 1000) part >>= 1, whole >>= 1;
  return part * 1000 / whole;
}

std::uint32_t most_instances(const node_row& node, std::uint32_t per_node) {
  const auto own = node.capacity.instances;
  if (own == 0) return per_node;
  return per_node == 0 ? own : std::min(own, per_node);
}

std::string mebibytes(std::uint64_t bytes) { return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MiB"; }

} // namespace

bool could_fit(const node_row& node, const reserve_spec& need) {
  return need.memory_bytes <= node.capacity.memory_bytes && need.cpu_millis <= node.capacity.cpu_millis;
}

bool fits(const node_row& node, const reserve_spec& need, std::uint32_t per_node) {
  if (!could_fit(node, need)) return false;
  // What was adopted may exceed the capacity; then nothing fits.
  if (node.reserved_memory_bytes > node.capacity.memory_bytes - need.memory_bytes) return false;
  if (node.reserved_cpu_millis > node.capacity.cpu_millis - need.cpu_millis) return false;
  const auto most = most_instances(node, per_node);
  return most == 0 || node.instances < most;
}

std::uint64_t score(const placement_node& node, const limit_table& weights) {
  const auto& row = *node.row;
  const auto cpu = std::max<std::uint64_t>(node.cpu_permille, permille(row.reserved_cpu_millis, row.capacity.cpu_millis));
  const auto memory =
      std::max<std::uint64_t>(node.memory_permille, permille(row.reserved_memory_bytes, row.capacity.memory_bytes));
  const auto most = most_instances(row, weights.per_node);
  const auto count = most == 0 ? std::min<std::uint64_t>(row.instances, 1000) : permille(row.instances, most);
  return weights.weight_cpu * cpu + weights.weight_memory * memory + weights.weight_count * count;
}

const node_row* place(std::span<const placement_node> candidates, const reserve_spec& need, const limit_table& limits) {
  const node_row* best = nullptr;
  std::uint64_t best_score = 0;
  for (const auto& candidate : candidates) {
    if (!fits(*candidate.row, need, limits.per_node)) continue;
    const auto s = score(candidate, limits);
    if (!best || s < best_score || (s == best_score && candidate.row->name < best->name)) {
      best = candidate.row;
      best_score = s;
    }
  }
  return best;
}

std::string shortage(std::span<const placement_node> candidates, const reserve_spec& need, std::uint32_t per_node) {
  if (candidates.empty()) return "nodes: none is ready";
  std::uint64_t memory = 0;
  std::uint32_t cpu = 0;
  bool count = false;
  for (const auto& c : candidates) {
    const auto& n = *c.row;
    memory = std::max(memory, n.capacity.memory_bytes - std::min(n.capacity.memory_bytes, n.reserved_memory_bytes));
    cpu = std::max(cpu, n.capacity.cpu_millis - std::min(n.capacity.cpu_millis, n.reserved_cpu_millis));
    const auto most = most_instances(n, per_node);
    count = count || most == 0 || n.instances < most;
  }
  if (!count) return "instances: every node holds as many as it may";
  if (memory < need.memory_bytes) return "memory: needs " + mebibytes(need.memory_bytes) + ", most free on a node is " + mebibytes(memory);
  if (cpu < need.cpu_millis)
    return "cpu: needs " + std::to_string(need.cpu_millis) + " thousandths of a core, most free on a node is " + std::to_string(cpu);
  return "memory and cpu: no one node has both";
}

} // namespace poseidon
