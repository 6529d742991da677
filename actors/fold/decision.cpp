// Why an instance was assigned to the node that it was assigned to: told to subscribers, kept nowhere in the state.

#include "actors/fold/step.hpp"

#include <algorithm>

namespace poseidon::folding {
namespace {

constexpr std::size_t most_told = 16; ///< candidates of one decision

/// How the nodes stood when one of them was chosen.
struct survey {
  std::vector<placement_candidate> suited, others;
  std::uint64_t chosen_load = 0, least_load = ~0ull;
  bool chosen_has_image = false; ///< and others are known to lack it
};

bool is_one_of(const node_name& name, const std::vector<node_name>& names) { return std::find(names.begin(), names.end(), name) != names.end(); }

std::string out_of_service(const step& st, const node_row& node) {
  if (node.lost) return "is lost";
  if (node.mode != node_mode::ready) return "is " + std::string(to_string(node.mode));
  return node.up_at.incarnation == st.state.at.incarnation ? std::string{} : "has not registered again";
}

std::string why_not_now(const step& st, const fold_row& row, const node_row& node) {
  if (auto why = out_of_service(st, node); !why.empty()) return why;
  if (is_one_of(node.name, row.excluded)) return "refused it";
  return why_not(node, *row.spec, st.state.admin.limits.per_node);
}

survey look_around(const step& st, const fold_row& row, const node_row& chosen) {
  survey found;
  const auto images = images_there(st, row.id);
  const auto& limits = st.state.admin.limits;
  static const instance_spec anything;
  for (const auto& [name, node] : st.state.nodes) {
    auto why = &chosen == node.row.get() ? std::string{} : why_not_now(st, row, *node.row);
    if (!why.empty()) {
      found.others.push_back({name, 0, std::move(why)});
      continue;
    }
    const auto at = as_candidate(node, images);
    const auto load = limits.pack ? score({at.row, at.cpu_permille, at.memory_permille}, anything, limits) : weighted_load(at, limits);
    found.least_load = std::min(found.least_load, load);
    if (&chosen == node.row.get()) {
      found.chosen_load = load;
      found.chosen_has_image = !images.empty() && !at.lacks_image;
    }
    found.suited.push_back({name, score(at, *row.spec, limits), {}});
  }
  std::stable_sort(found.suited.begin(), found.suited.end(), [](const auto& a, const auto& b) { return a.score < b.score; });
  return found;
}

std::string preferred_labels(const fold_row& row, const node_row& node) {
  std::string text;
  for (const auto& [name, value] : row.spec->placement.prefer) {
    const auto at = node.tags.find(name);
    if (at != node.tags.end() && at->second == value) text += (text.empty() ? "" : ", ") + name + "=" + value;
  }
  return text;
}

/// "the least loaded of 3 that fit"; with what it was preferred for, where it was not the load.
std::string words_for(const step& st, const fold_row& row, const node_row& chosen, const survey& found) {
  const auto fit = found.suited.size();
  if (fit == 1) return found.others.empty() ? "the only node" : "the only node that is ready and fits";
  const auto of = " of " + std::to_string(fit) + " that fit";
  if (found.chosen_load == found.least_load) return (st.state.admin.limits.pack ? "the fullest" : "the least loaded") + of;
  std::string text = "the best" + of;
  if (const auto labels = preferred_labels(row, chosen); !labels.empty()) text += ", preferred for " + labels;
  if (found.chosen_has_image) text += ", the image is there";
  return text;
}

/// What came before the choice.
std::string occasion(const step& st, const fold_row& row) {
  const auto& body = st.entry.what->body;
  if (const auto* start = std::get_if<start_entry>(&body); start && start->instance == row.id) return {};
  if (const auto* move = std::get_if<move_entry>(&body); move && move->instance == row.id)
    return move->reason == move_reason::drain ? "moved off its node: " : "started anew: ";
  if (const auto* refused = std::get_if<refused_entry>(&body); refused && refused->head.instance == row.id)
    return refused->head.node.value + " refused it: ";
  return "from the queue: ";
}

} // namespace

std::vector<node_name> images_there(const step& st, const instance_id& id) {
  const std::vector<load_hint>* hints = nullptr;
  if (const auto* start = std::get_if<start_entry>(&st.entry.what->body); start && start->instance == id) hints = &start->loads;
  if (const auto* move = std::get_if<move_entry>(&st.entry.what->body); move && move->instance == id) hints = &move->loads;
  std::vector<node_name> found;
  if (!hints) return found;
  for (const auto& hint : *hints)
    if (hint.has_image) found.push_back(hint.node);
  return found;
}

placement_node as_candidate(const fold_node& node, const std::vector<node_name>& images) {
  return {node.row.get(), node.cpu_permille, node.memory_permille, !images.empty() && !is_one_of(node.row->name, images)};
}

void tell_decision(step& st, const fold_row& row, const node_row& chosen) {
  auto found = look_around(st, row, chosen);
  auto& told = st.change.decisions.emplace_back();
  told.instance = row.id;
  told.node = chosen.name;
  told.reason = occasion(st, row) + words_for(st, row, chosen, found);
  // The chosen one is among the best of those that fit, by construction the first; of the others the first by name.
  told.candidates = std::move(found.suited);
  for (auto& other : found.others) told.candidates.push_back(std::move(other));
  if (told.candidates.size() > most_told) told.candidates.resize(most_told);
}

void tell_stay(step& st, const fold_row& row) { st.change.decisions.push_back({row.id, row.node, "reset: it stays on its node", {}}); }

} // namespace poseidon::folding
