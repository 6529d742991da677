#include "gateway/view.hpp"

#include "messages/digest.hpp"

#include <algorithm>
#include <mutex>

namespace poseidon::gateway {

namespace {

/// More are not kept: then the API does not tell why the newest are where they are.
constexpr std::size_t most_decisions = 131'072, most_releases = 256;

bool holds_room(const instance_row& row) { return is_live(row) && !row.node.empty(); }
bool is_drained(const node_row& node) { return node.mode == node_mode::draining && node.instances == 0 && !node.lost; }

/// Replaces or adds by key.
void put_key(std::vector<put_key_entry>& keys, const put_key_entry& key) {
  auto same = std::find_if(keys.begin(), keys.end(), [&](auto& k) { return k.key == key.key; });
  if (same == keys.end())
    keys.push_back(key);
  else
    *same = key;
}

struct admin_change {
  administration& admin;
  void operator()(const put_key_entry& e) const { put_key(admin.keys, e); }
  void operator()(const drop_key_entry& e) const { std::erase_if(admin.keys, [&](auto& k) { return k.key == e.key; }); }
  void operator()(const put_setting_entry& e) const {
    if (e.value.empty())
      admin.settings.erase(e.name);
    else
      admin.settings[e.name] = e.value;
  }
  void operator()(const put_limits_entry& e) const { admin.limits = e.limits; }
  void operator()(const set_pause_entry& e) const {
    admin.paused = e.paused;
    admin.pause_message = e.message;
  }
  template <class Other>
  void operator()(const Other&) const {}
};

} // namespace

std::string view::watch_token(std::string_view id) const {
  return to_hex(std::string_view(hmac_sha256(watch_key_, "watch:" + std::string(id))).substr(0, 16));
}

slot_entry* view::find_entry(std::string_view id) const { return table_.find(id); }

slot_entry& view::upsert(const row_ptr& row) {
  auto* known = table_.find(row->id.value);
  bool moved = known && known->row->epoch != row->epoch;
  auto& entry = table_.put(row);
  if (!known) {
    auto token = hmac_sha256(watch_key_, "watch:" + row->id.value);
    std::copy_n(token.begin(), entry.token.size(), entry.token.begin());
  }
  if (moved) {
    entry.phase = entry.percent = -1;
    entry.note.reset();
  }
  if ((moved || !is_live(*row)) && entry.decision) {
    entry.decision.reset();
    --decisions_;
  }
  return entry;
}

void view::forget(const instance_id& id) {
  if (auto* entry = find_entry(id.value); entry && entry->decision) --decisions_;
  table_.erase(id.value);
}

void view::note_release(wall_time at) {
  releases_.push_back(at);
  while (releases_.size() > most_releases || at - releases_.front() > releases_remembered) releases_.pop_front();
}

void view::put_nodes(const ledger_change& change, applied_change& applied) {
  for (auto& node : change.nodes) {
    auto& known = nodes_[node->name.value];
    if (is_drained(*node) && !(known && is_drained(*known))) applied.drained.push_back(node->name);
    known = node;
    if (node->mode_at == change.at) modes_[node->name.value] = {change.at, change.logged_at};
  }
}

void view::put_decisions(const ledger_change& change) {
  for (auto& decision : change.decisions) {
    auto* entry = find_entry(decision.instance.value);
    if (!entry || !is_live(*entry->row) || (!entry->decision && decisions_ >= most_decisions)) continue;
    if (!std::exchange(entry->decision, words_.pack(decision))) ++decisions_;
  }
}

void view::load(const ledger_image& image) {
  auto admin = std::make_shared<const administration>(image.admin);
  std::unique_lock lock(mutex_);
  table_.clear();
  decisions_ = 0;
  releases_.clear();
  nodes_.clear();
  challenges_.clear();
  for (auto& row : image.instances) {
    auto& entry = upsert(row);
    entry.told_state = static_cast<std::int8_t>(api_state(*row));
  }
  for (auto& node : image.nodes) nodes_[node->name.value] = node;
  for (auto& challenge : image.challenges) challenges_[challenge->id.value] = challenge;
  admin_ = std::move(admin);
  at_ = image.at;
  admin_version_.fetch_add(1, std::memory_order_release);
  loaded_.store(true, std::memory_order_release);
}

void view::apply_admin(const ledger_change& change) {
  auto next = std::make_shared<administration>(*admin_);
  std::visit(admin_change{*next}, change.cause->body);
  admin_ = std::move(next);
  admin_version_.fetch_add(1, std::memory_order_release);
}

std::vector<applied_change> view::apply(const std::vector<ledger_change>& changes) {
  std::vector<applied_change> result;
  result.reserve(changes.size());
  std::unique_lock lock(mutex_);
  for (auto& change : changes) {
    if (change.at <= at_) continue; // part of the image already
    at_ = change.at;
    auto& applied = result.emplace_back();
    applied.change = &change;
    for (auto& row : change.instances) {
      auto* known = table_.find(row->id.value);
      auto before = known && known->told_state >= 0 ? std::optional(static_cast<instance_state>(known->told_state)) : std::nullopt;
      if (known && holds_room(*known->row) && !holds_room(*row)) note_release(change.logged_at);
      auto& entry = known && known->row->changed > row->changed ? *known : upsert(row);
      entry.told_state = static_cast<std::int8_t>(api_state(*row));
      auto item = item_of(entry);
      item.row = row;
      applied.rows.push_back({std::move(item), before});
    }
    put_decisions(change);
    put_nodes(change, applied);
    for (auto& challenge : change.challenges) challenges_[challenge->id.value] = challenge;
    for (auto& id : change.dropped_challenges) challenges_.erase(id.value);
    for (auto& id : change.forgotten) forget(id);
    if (change.administration) apply_admin(change);
  }
  return result;
}

std::optional<instance_item> view::note_progress(const instance_progress& progress) {
  std::unique_lock lock(mutex_);
  auto* entry = find_entry(progress.instance.value);
  if (!entry || entry->row->epoch != progress.epoch || !is_live(*entry->row)) return std::nullopt;
  entry->phase = static_cast<std::int8_t>(progress.phase);
  entry->percent = static_cast<std::int8_t>(progress.percent ? std::min(*progress.percent, 100u) : -1);
  entry->note = progress.note.empty() ? nullptr : std::make_unique<std::string>(progress.note);
  return item_of(*entry);
}

void view::observe(const row_ptr& row) {
  if (!row) return;
  std::unique_lock lock(mutex_);
  auto* known = find_entry(row->id.value);
  if (!known ? row->changed > at_ : row->changed > known->row->changed) upsert(row);
}

} // namespace poseidon::gateway
