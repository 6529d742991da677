#include "actors/fold/step.hpp"

#include <algorithm>

namespace poseidon::folding {
namespace {

bool is_excluded(const node_name& name, const std::vector<node_name>& excluded) {
  return std::find(excluded.begin(), excluded.end(), name) != excluded.end();
}

/// Serves the first lane whose head fits; false when none does.
bool serve_next(step& st) {
  auto& s = st.state;
  auto open = ready_nodes(s, {});
  for (const auto& head : s.queue.heads()) {
    if (open.empty()) return false;
    const auto n = head.second; // a copy: taking it out of the queue ends its place there
    const auto& row = s.instances.at(n);
    auto may = open;
    std::erase_if(may, [&](const auto& node) { return is_excluded(node.row->name, row.excluded); });
    if (const auto images = images_there(st, row.id); !images.empty())
      for (auto& node : may) node.lacks_image = !is_excluded(node.row->name, images);
    if (const auto* best = place(may, *row.spec, s.admin.limits)) {
      auto& node = s.nodes.at(best->name);
      dequeue(st, n, true);
      assign(st, n, node);
      return true;
    }
    std::erase_if(open, [&](const auto& node) {
      return could_hold(*node.row, *row.spec) && !is_excluded(node.row->name, row.excluded);
    });
  }
  return false;
}

} // namespace

std::vector<placement_node> ready_nodes(const ledger_state& state, const std::vector<node_name>& excluded,
                                        const std::vector<node_name>& images) {
  std::vector<placement_node> ready;
  ready.reserve(state.nodes.size());
  for (const auto& [name, node] : state.nodes) {
    const auto& row = *node.row;
    if (row.lost || row.mode != node_mode::ready || row.up_at.incarnation != state.at.incarnation) continue;
    if (!is_excluded(name, excluded)) ready.push_back(as_candidate(node, images));
  }
  return ready;
}

bool could_ever_fit(const ledger_state& state, const instance_spec& want, const std::vector<node_name>& excluded) {
  return std::any_of(state.nodes.begin(), state.nodes.end(), [&](const auto& node) {
    return !node.second.row->lost && !is_excluded(node.first, excluded) && could_hold(*node.second.row, want);
  });
}

std::string never_fits(const ledger_state& state, const instance_spec& want) {
  std::string labels;
  for (const auto& [name, value] : want.placement.require) labels += (labels.empty() ? "" : ", ") + name + "=" + value;
  const bool labelled = std::any_of(state.nodes.begin(), state.nodes.end(), [&](const auto& node) {
    return !node.second.row->lost && has_labels(*node.second.row, want.placement);
  });
  if (!labelled) return "no node has the labels that it requires: " + labels;
  return (labels.empty() ? "no node is large enough: " : "no node with " + labels + " is large enough: ") +
         shortage(ready_nodes(state, {}), want, 0);
}

bool any_live_node(const ledger_state& state) {
  return std::any_of(state.nodes.begin(), state.nodes.end(), [](const auto& node) { return !node.second.row->lost; });
}

void note_loads(ledger_state& state, const std::vector<load_hint>& loads) {
  for (const auto& load : loads) {
    const auto at = state.nodes.find(load.node);
    if (at == state.nodes.end()) continue;
    at->second.cpu_permille = std::min(load.cpu_permille, 1000u);
    at->second.memory_permille = std::min(load.memory_permille, 1000u);
  }
}

void serve_queue(step& st) {
  st.released = false;
  if (!st.state.gate_open()) return;
  while (!st.state.queue.empty() && serve_next(st)) {}
}

} // namespace poseidon::folding
