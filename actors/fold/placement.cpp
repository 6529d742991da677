#include "actors/fold/placement.hpp"

#include <algorithm>

namespace poseidon {
namespace {

constexpr std::uint64_t full = 1000; ///< thousandths

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

bool could_fit(const node_row& node, const reserve_spec& need) {
  return need.memory_bytes <= node.capacity.memory_bytes && need.cpu_millis <= node.capacity.cpu_millis;
}

bool has_label(const node_row& node, const std::pair<const std::string, std::string>& label) {
  const auto found = node.tags.find(label.first);
  return found != node.tags.end() && found->second == label.second;
}

bool never_pulls(const instance_spec& want) {
  return std::any_of(want.services.begin(), want.services.end(), [](const auto& s) { return s.pull == pull_mode::never; });
}

std::string mebibytes(std::uint64_t bytes) { return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MiB"; }

std::string to_text(const std::pair<const std::string, std::string>& label) { return label.first + "=" + label.second; }
std::string to_text(const std::map<std::string, std::string>& labels) {
  std::string text;
  for (const auto& label : labels) text += (text.empty() ? "" : ", ") + to_text(label);
  return text;
}

} // namespace

bool has_labels(const node_row& node, const placement_spec& wish) {
  return std::all_of(wish.require.begin(), wish.require.end(), [&](const auto& label) { return has_label(node, label); });
}

bool could_hold(const node_row& node, const instance_spec& want) { return has_labels(node, want.placement) && could_fit(node, want.reserve); }

bool fits(const node_row& node, const reserve_spec& need, std::uint32_t per_node) {
  if (!could_fit(node, need)) return false;
  // What was adopted may exceed the capacity; then nothing fits.
  if (node.reserved_memory_bytes > node.capacity.memory_bytes - need.memory_bytes) return false;
  if (node.reserved_cpu_millis > node.capacity.cpu_millis - need.cpu_millis) return false;
  const auto most = most_instances(node, per_node);
  return most == 0 || node.instances < most;
}

std::string why_not(const node_row& node, const instance_spec& want, std::uint32_t per_node) {
  for (const auto& label : want.placement.require)
    if (!has_label(node, label)) return "has no label " + to_text(label);
  if (!could_fit(node, want.reserve)) return "is too small";
  if (fits(node, want.reserve, per_node)) return {};
  if (most_instances(node, per_node) != 0 && node.instances >= most_instances(node, per_node)) return "holds as many instances as it may";
  return node.reserved_memory_bytes > node.capacity.memory_bytes - want.reserve.memory_bytes ? "has too little memory free" : "has too little cpu free";
}

std::uint64_t weighted_load(const placement_node& node, const limit_table& limits) {
  const auto& row = *node.row;
  const auto cpu = std::max<std::uint64_t>(node.cpu_permille, permille(row.reserved_cpu_millis, row.capacity.cpu_millis));
  const auto memory =
      std::max<std::uint64_t>(node.memory_permille, permille(row.reserved_memory_bytes, row.capacity.memory_bytes));
  const auto most = most_instances(row, limits.per_node);
  const auto count = most == 0 ? std::min<std::uint64_t>(row.instances, 1000) : permille(row.instances, most);
  return limits.weight_cpu * cpu + limits.weight_memory * memory + limits.weight_count * count;
}

std::uint64_t score(const placement_node& node, const instance_spec& want, const limit_table& limits) {
  const std::uint64_t unit = std::uint64_t{limits.weight_cpu} + limits.weight_memory + limits.weight_count;
  auto points = limits.pack ? unit * full - weighted_load({node.row, 0, 0}, limits) : weighted_load(node, limits);
  if (limits.pack && node.cpu_permille >= full && node.memory_permille >= full) points += unit * full;
  for (const auto& label : want.placement.prefer)
    if (!has_label(*node.row, label)) points += unit * placement_points::preferred_label;
  if (node.lacks_image) points += unit * (never_pulls(want) ? placement_points::image_never_pulled : placement_points::image);
  return points;
}

const node_row* place(std::span<const placement_node> candidates, const instance_spec& want, const limit_table& limits) {
  const node_row* best = nullptr;
  std::uint64_t best_score = 0;
  for (const auto& candidate : candidates) {
    if (!fits(*candidate.row, want.reserve, limits.per_node) || !has_labels(*candidate.row, want.placement)) continue;
    const auto s = score(candidate, want, limits);
    if (!best || s < best_score || (s == best_score && candidate.row->name < best->name)) {
      best = candidate.row;
      best_score = s;
    }
  }
  return best;
}

std::string shortage(std::span<const placement_node> candidates, const instance_spec& want, std::uint32_t per_node) {
  if (candidates.empty()) return "nodes: none is ready";
  const auto& need = want.reserve;
  std::uint64_t memory = 0;
  std::uint32_t cpu = 0;
  bool labels = false, count = false;
  for (const auto& c : candidates) {
    const auto& n = *c.row;
    if (!has_labels(n, want.placement)) continue;
    labels = true;
    memory = std::max(memory, n.capacity.memory_bytes - std::min(n.capacity.memory_bytes, n.reserved_memory_bytes));
    cpu = std::max(cpu, n.capacity.cpu_millis - std::min(n.capacity.cpu_millis, n.reserved_cpu_millis));
    const auto most = most_instances(n, per_node);
    count = count || most == 0 || n.instances < most;
  }
  if (!labels) return "labels: none of the ready nodes has " + to_text(want.placement.require);
  if (!count) return "instances: every node holds as many as it may";
  if (memory < need.memory_bytes) return "memory: needs " + mebibytes(need.memory_bytes) + ", most free on a node is " + mebibytes(memory);
  if (cpu < need.cpu_millis)
    return "cpu: needs " + std::to_string(need.cpu_millis) + " thousandths of a core, most free on a node is " + std::to_string(cpu);
  return "memory and cpu: no one node has both";
}

} // namespace poseidon
