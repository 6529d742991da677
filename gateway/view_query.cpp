#include "gateway/view.hpp"

#include "messages/digest.hpp"

#include <algorithm>

namespace poseidon::gateway {

namespace {

/// A page looks at no more rows than this, so that a reader never holds the writer up for long.
constexpr std::size_t most_visited = 20'000;
/// Beyond this place in the queue no estimate is made.
constexpr std::uint32_t most_estimated = 256;

bool matches(const instance_row& row, const instance_query& query) {
  if (query.user && row.owner.user != *query.user) return false;
  if (query.team && row.owner.team != query.team) return false;
  if (query.challenge && row.challenge.value != *query.challenge) return false;
  if (query.node && row.node.value != *query.node) return false;
  return query.states.empty() || std::find(query.states.begin(), query.states.end(), api_state(row)) != query.states.end();
}

bool wants_ended(const instance_query& query) {
  return query.states.empty() || std::any_of(query.states.begin(), query.states.end(), [](auto s) { return s >= instance_state::stopped; });
}

} // namespace

instance_item view::item_of(const slot_entry& entry) const {
  instance_item item;
  item.row = entry.row;
  if (entry.phase >= 0) item.live.phase = static_cast<poseidon::phase>(entry.phase);
  if (entry.percent >= 0) item.live.percent = static_cast<std::uint32_t>(entry.percent);
  if (entry.note) item.live.note = *entry.note;
  if (is_live(*entry.row)) item.watch_token = to_hex(std::string_view(entry.token.data(), entry.token.size()));
  if (entry.row->phase == ledger_phase::queued) {
    // The list is newest first; the queue serves the oldest first.
    auto& queued = table_.queued();
    auto place = std::distance(queued.find(const_cast<slot_entry*>(&entry)), queued.end());
    item.queue_position = static_cast<std::uint32_t>(place);
    item.queue_served_at = queue_estimate(*item.queue_position);
    item.releases = releases();
  }
  return item;
}

/// When as many have reached their deadlines as wait ahead: an estimate from deadlines alone.
std::optional<wall_time> view::queue_estimate(std::uint32_t queue_position) const {
  auto& deadlines = table_.by_deadline();
  if (queue_position == 0 || queue_position > most_estimated || deadlines.size() < queue_position) return std::nullopt;
  return wall_time{std::next(deadlines.begin(), queue_position - 1)->first};
}

std::optional<release_rate> view::releases() const {
  if (releases_.empty()) return std::nullopt;
  return release_rate{static_cast<std::uint32_t>(releases_.size()), releases_.front(), releases_.back()};
}

std::optional<placement_decision> view::placement_of(std::string_view id) const {
  std::shared_lock lock(mutex_);
  auto* entry = find_entry(id);
  if (!entry || !entry->decision) return std::nullopt;
  auto decision = words_.unpack(entry->decision);
  decision.instance = entry->row->id;
  return decision;
}

std::optional<wall_time> view::mode_since(const node_row& node) const {
  std::shared_lock lock(mutex_);
  auto known = modes_.find(node.name.value);
  return known != modes_.end() && known->second.first == node.mode_at ? std::optional(known->second.second) : std::nullopt;
}

std::optional<instance_item> view::find(std::string_view id) const {
  std::shared_lock lock(mutex_);
  auto* entry = find_entry(id);
  return entry ? std::optional(item_of(*entry)) : std::nullopt;
}

instance_page view::list(const instance_query& query) const {
  instance_page page;
  std::string storage;
  std::optional<list_key> after;
  if (!query.cursor.empty()) {
    after = from_cursor(query.cursor, storage);
    page.cursor_valid = after.has_value();
    if (!after) return page;
  }
  std::shared_lock lock(mutex_);
  const slot_list* list = &table_.all();
  if (query.user) list = table_.of_user(*query.user);
  else if (query.team) list = table_.of_team(*query.team);
  else if (query.node) list = table_.of_node(*query.node);
  else if (query.challenge) list = table_.of_challenge(*query.challenge);
  if (!list) return page;
  auto it = after ? list->upper_bound(*after) : list->begin();
  bool only_ended = !query.states.empty() && std::all_of(query.states.begin(), query.states.end(), [](auto s) { return s >= instance_state::stopped; });
  if (only_ended && !(after && after->ended)) it = list->lower_bound(list_key{true, {~0ull, ~0ull}, {}});
  const slot_entry* last = nullptr;
  for (std::size_t visited = 0; it != list->end(); ++it, ++visited) {
    if (page.items.size() >= query.limit || visited >= most_visited) {
      page.next = to_cursor(key_of_row(*last->row));
      break;
    }
    if (!is_live(*(*it)->row) && !wants_ended(query)) break;
    last = *it;
    if (matches(*last->row, query)) page.items.push_back(item_of(*last));
  }
  return page;
}

std::vector<std::shared_ptr<const node_row>> view::nodes() const {
  std::vector<std::shared_ptr<const node_row>> result;
  std::shared_lock lock(mutex_);
  for (auto& [name, node] : nodes_) result.push_back(node);
  return result;
}

std::shared_ptr<const node_row> view::node(std::string_view name) const {
  std::shared_lock lock(mutex_);
  auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const challenge_row>> view::challenges() const {
  std::vector<std::shared_ptr<const challenge_row>> result;
  std::shared_lock lock(mutex_);
  for (auto& [id, challenge] : challenges_) result.push_back(challenge);
  return result;
}

std::shared_ptr<const challenge_row> view::challenge(std::string_view id) const {
  std::shared_lock lock(mutex_);
  auto found = challenges_.find(id);
  return found == challenges_.end() ? nullptr : found->second;
}

std::uint64_t view::live_of(std::string_view challenge) const {
  std::shared_lock lock(mutex_);
  return table_.live_of(std::string(challenge));
}

std::shared_ptr<const administration> view::admin() const {
  std::shared_lock lock(mutex_);
  return admin_;
}

position view::at() const {
  std::shared_lock lock(mutex_);
  return at_;
}

std::array<std::uint64_t, instance_states> view::count_by_state() const {
  std::shared_lock lock(mutex_);
  return table_.counts();
}

std::uint64_t view::live_count() const {
  auto counts = count_by_state();
  std::uint64_t live = 0;
  for (auto state : {instance_state::queued, instance_state::pending, instance_state::running, instance_state::stopping})
    live += counts[static_cast<std::size_t>(state)];
  return live;
}

std::size_t view::size() const {
  std::shared_lock lock(mutex_);
  return table_.size();
}

} // namespace poseidon::gateway
