#pragma once
// Which node is the best for one more instance. Pure, and in integers: every replica comes to the same answer.

#include "messages/state.hpp"

#include <span>

namespace poseidon {

/// A node as placement sees it.
struct placement_node {
  const node_row* row = nullptr;
  std::uint32_t cpu_permille = 0, memory_permille = 0; ///< load as last reported with a start or move
};

/// True when one more of this size fits beside what is reserved. `per_node`: most instances of one node; 0: no limit.
bool fits(const node_row& node, const reserve_spec& need, std::uint32_t per_node);
/// True when it would fit on the empty node.
bool could_fit(const node_row& node, const reserve_spec& need);

/// Weighted load, lower is better: thousandths times the weights' unit. Of cpu and memory the higher of what was
/// reported and what is reserved counts, so that a burst spreads before the first report of it.
std::uint64_t score(const placement_node& node, const limit_table& weights);

/// The best of those that fit, by score, ties by name; null when none fits.
const node_row* place(std::span<const placement_node> candidates, const reserve_spec& need, const limit_table& limits);

/// What ran out, in words for people: "memory: needs 512 MiB, most free is 128 MiB on n1".
std::string shortage(std::span<const placement_node> candidates, const reserve_spec& need, std::uint32_t per_node);

} // namespace poseidon
