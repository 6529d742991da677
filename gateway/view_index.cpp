#include "gateway/view_index.hpp"

#include <tuple>

namespace poseidon::gateway {

list_key key_of_row(const instance_row& row) { return {!is_live(row), row.created, row.id.value}; }

bool list_order::operator()(const list_key& a, const list_key& b) const {
  return std::tie(a.ended, b.created, a.id) < std::tie(b.ended, a.created, b.id);
}

std::string to_cursor(const list_key& key) {
  return std::string(key.ended ? "e." : "l.") + to_string(key.created) + "." + std::string(key.id);
}

std::optional<list_key> from_cursor(std::string_view text, std::string& storage) {
  if (text.size() < 4 || (text[0] != 'e' && text[0] != 'l') || text[1] != '.') return std::nullopt;
  auto dot = text.find('.', 2);
  if (dot == std::string_view::npos) return std::nullopt;
  auto created = position_from_string(text.substr(2, dot - 2));
  if (!created) return std::nullopt;
  storage = text.substr(dot + 1);
  return list_key{text[0] == 'e', *created, storage};
}

slot_entry* slot_table::find(std::string_view id) const {
  auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->get();
}

const slot_list* slot_table::find_list(const list_map& map, const std::string& key) {
  auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

template <class Visit>
void slot_table::visit_lists(const instance_row& row, Visit&& visit) {
  if (!row.owner.user.empty()) visit(by_owner_, "user:" + row.owner.user);
  if (row.owner.team) visit(by_owner_, "team:" + *row.owner.team);
  if (!row.challenge.empty()) visit(by_challenge_, row.challenge.value);
  if (!row.node.empty()) visit(by_node_, row.node.value);
}

void slot_table::link(slot_entry& entry) {
  auto& row = *entry.row;
  all_.insert(&entry);
  visit_lists(row, [&](list_map& map, const std::string& key) { map[key].insert(&entry); });
  if (row.phase == ledger_phase::queued) queued_.insert(&entry);
  if (row.phase == ledger_phase::running && row.expires_at) by_deadline_.emplace(row.expires_at->ms, &entry);
  if (is_live(row) && !row.challenge.empty()) ++live_by_challenge_[row.challenge.value];
  ++counts_[static_cast<std::size_t>(api_state(row))];
}

void slot_table::unlink(slot_entry& entry) {
  auto& row = *entry.row;
  all_.erase(&entry);
  visit_lists(row, [&](list_map& map, const std::string& key) {
    auto found = map.find(key);
    if (found == map.end()) return;
    found->second.erase(&entry);
    if (found->second.empty()) map.erase(found);
  });
  if (row.phase == ledger_phase::queued) queued_.erase(&entry);
  if (row.phase == ledger_phase::running && row.expires_at) by_deadline_.erase({row.expires_at->ms, &entry});
  if (is_live(row) && !row.challenge.empty()) {
    auto found = live_by_challenge_.find(row.challenge.value);
    if (--found->second == 0) live_by_challenge_.erase(found);
  }
  --counts_[static_cast<std::size_t>(api_state(row))];
}

slot_entry& slot_table::put(const row_ptr& row) {
  if (auto* known = find(row->id.value)) {
    unlink(*known);
    known->row = row;
    link(*known);
    return *known;
  }
  auto made = std::make_unique<slot_entry>();
  made->row = row;
  auto& entry = **entries_.insert(std::move(made)).first;
  link(entry);
  return entry;
}

void slot_table::erase(std::string_view id) {
  auto found = entries_.find(id);
  if (found == entries_.end()) return;
  unlink(**found);
  entries_.erase(found);
}

void slot_table::clear() { *this = slot_table{}; }

std::uint64_t slot_table::live_of(const std::string& challenge) const {
  auto found = live_by_challenge_.find(challenge);
  return found == live_by_challenge_.end() ? 0 : found->second;
}

} // namespace poseidon::gateway
