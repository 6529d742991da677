#include "actors/fold/fold.hpp"

#include "actors/fold/step.hpp"

#include <algorithm>

namespace poseidon {
namespace {

/// How many entries lie between what the appender had folded and this one (rule 11).
std::uint64_t entries_since(const ledger_state& state, struct position folded, struct position at) {
  if (folded.incarnation == at.incarnation) return at.sequence > folded.sequence ? at.sequence - folded.sequence : 0;
  if (folded.incarnation < state.inherited.incarnation) return seen_entries::capacity + 1;
  const auto since_opened = at.sequence - std::min(at.sequence, state.opened_at);
  const auto before = state.inherited.sequence - std::min(state.inherited.sequence, folded.sequence);
  return since_opened + before;
}

/// Why the entry is not judged at all.
std::optional<verdict> void_entry(const ledger_state& state, const placed_entry& entry) {
  const bool opens = std::holds_alternative<incarnation_entry>(entry.what->body);
  if (entry.at.incarnation == 0) return folding::no_effect(errc::stale, "before the log's first incarnation");
  if (entry.at <= state.at) return folding::no_effect(errc::stale, "folded already");
  if (!opens && entry.at.incarnation != state.at.incarnation)
    return folding::no_effect(errc::stale, "not of the present incarnation");
  return std::nullopt;
}

std::optional<verdict> repeated_or_stale(const ledger_state& state, const placed_entry& entry) {
  if (state.recent.contains(entry.what->id)) return folding::no_effect(errc::stale, "repeated");
  if (entries_since(state, entry.what->folded, entry.at) > seen_entries::capacity)
    return folding::no_effect(errc::stale, "its appender was too far behind; try again");
  return std::nullopt;
}

void tell_changes(folding::step& st) {
  auto& rows = st.touched;
  if (rows.size() > 1) {
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  }
  for (const auto n : rows) st.change.instances.push_back(st.state.instances.ptr(n));
  for (const auto* node : st.touched_nodes) st.change.nodes.push_back(node->row);
}

void begin(ledger_change& change, const placed_entry& entry) {
  change.at = entry.at;
  change.logged_at = entry.logged_at;
  change.cause = entry.what;
  change.instances.clear();
  change.forgotten.clear();
  change.nodes.clear();
  change.challenges.clear();
  change.dropped_challenges.clear();
  change.administration = false;
  change.decisions.clear();
}

} // namespace

verdict fold(ledger_state& state, const placed_entry& entry, ledger_change& change) {
  begin(change, entry);
  if (auto v = void_entry(state, entry)) return *v;
  folding::step st{state, entry, change};
  // What begins another incarnation moves the position itself, and only when it is valid.
  if (entry.at.incarnation == state.at.incarnation) {
    state.at = entry.at;
    if (auto v = repeated_or_stale(state, entry)) return *v;
  }
  const auto judged = std::visit([&](const auto& body) { return folding::judge(st, body); }, entry.what->body);
  if (state.at == entry.at) state.recent.add(entry.what->id);
  if (st.released) folding::serve_queue(st);
  tell_changes(st);
  return judged;
}

} // namespace poseidon
