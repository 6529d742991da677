#pragma once
// Which node is the best for one more instance. Pure, and in integers: every replica comes to the same answer.

#include "messages/state.hpp"

#include <span>

namespace poseidon {

/// A node as placement sees it.
struct placement_node {
  const node_row* row = nullptr;
  std::uint32_t cpu_permille = 0, memory_permille = 0; ///< load as last reported with a start or move
  bool lacks_image = false;                            ///< others are known to have what is to start, this one is not
};

/// What a node without it counts as more loaded, in thousandths of the scale: fixed, so that no label and no image ever
/// beats a node that is much emptier. Where the image is never pulled, a node that has it comes first whatever its load.
namespace placement_points {
inline constexpr std::uint64_t preferred_label = 200, image = 100, image_never_pulled = 10'000;
}

/// True when one more of this size fits beside what is reserved. `per_node`: most instances of one node; 0: no limit.
bool fits(const node_row& node, const reserve_spec& need, std::uint32_t per_node);
/// True when the node has every label that is required.
bool has_labels(const node_row& node, const placement_spec& wish);
/// True when it has the labels, and this would fit on it if it were empty.
bool could_hold(const node_row& node, const instance_spec& want);
/// Why this node can't take one more now, in a few words without numbers; empty: it can.
std::string why_not(const node_row& node, const instance_spec& want, std::uint32_t per_node);

/// The node's load, weighted, in thousandths times the weights' unit. Of cpu and memory the higher of what was reported
/// and what is reserved counts, so that a burst spreads before the first report of it.
std::uint64_t weighted_load(const placement_node& node, const limit_table& limits);
/// Lower is better. Spreading: the weighted load. Packing: what is not reserved, with a node that is reported full (or does
/// not answer) behind all others. Then placement_points for each preferred label and the image that it lacks.
std::uint64_t score(const placement_node& node, const instance_spec& want, const limit_table& limits);

/// The best of those that have the labels and the room, by score, ties by name; null when none has.
const node_row* place(std::span<const placement_node> candidates, const instance_spec& want, const limit_table& limits);

/// What ran out, in words for people: "memory: needs 512 MiB, most free on a node is 128 MiB".
std::string shortage(std::span<const placement_node> candidates, const instance_spec& want, std::uint32_t per_node);

} // namespace poseidon
