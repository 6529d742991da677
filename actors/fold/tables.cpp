#include "actors/fold/tables.hpp"

#include <algorithm>
#include <atomic>

namespace poseidon {
namespace {

std::size_t hash_of(const std::string& text) { return std::hash<std::string>{}(text); }
std::size_t hash_of(const std::string& owner, const std::string& challenge) {
  return hash_of(owner) * 0x9e3779b97f4a7c15ull + hash_of(challenge);
}
std::size_t hash_of(const entry_id& id) { return id.high * 0x9e3779b97f4a7c15ull ^ id.low; }

} // namespace

const std::string& slot_challenge(const instance_row& row) {
  return row.challenge.empty() ? row.source->spec_id.value : row.challenge.value;
}

row_number instance_table::find(const instance_id& id) const {
  return by_id_.find(hash_of(id.value), [&](row_number n) { return rows_[n]->id == id; });
}

row_number instance_table::find_slot(const owner_key& owner, const std::string& challenge) const {
  return by_slot_.find(hash_of(owner.value, challenge), [&](row_number n) {
    const auto& row = *rows_[n];
    return row.key == owner && slot_challenge(row) == challenge;
  });
}

fold_row& instance_table::edit(row_number n) {
  auto& row = rows_[n];
  if (row.use_count() > 1) row = std::make_shared<fold_row>(*row);
  else std::atomic_thread_fence(std::memory_order_acquire); // the last other reader is done with it
  return *row;
}

row_number instance_table::add(fold_row_ptr row) {
  row_number n;
  if (free_.empty()) {
    n = static_cast<row_number>(rows_.size());
    rows_.emplace_back();
  } else {
    n = free_.back();
    free_.pop_back();
  }
  by_id_.insert(hash_of(row->id.value), n);
  row->waiter = no_row;
  rows_[n] = std::move(row);
  return n;
}

void instance_table::forget(row_number n) {
  by_id_.erase(hash_of(rows_[n]->id.value), n);
  rows_[n] = {};
  free_.push_back(n);
}

void instance_table::hold_slot(row_number n) {
  const auto& row = *rows_[n];
  by_slot_.insert(hash_of(row.key.value, slot_challenge(row)), n);
}

void instance_table::free_slot(row_number n) {
  const auto& row = *rows_[n];
  by_slot_.erase(hash_of(row.key.value, slot_challenge(row)), n);
}

bool instance_table::holds_slot(row_number n) const {
  const auto& row = *rows_[n];
  return find_slot(row.key, slot_challenge(row)) == n;
}

std::uint32_t owner_table::find_item(const instance_table& rows, const owner_key& owner) const {
  return index_.find(hash_of(owner.value), [&](std::uint32_t i) { return rows.at(items_[i].first).key == owner; });
}

const owner_tally* owner_table::find(const instance_table& rows, const owner_key& owner) const {
  const auto n = find_item(rows, owner);
  return n == flat_index::none ? nullptr : &items_[n];
}

void owner_table::add(const instance_table& rows, row_number holder, std::uint64_t cost) {
  const auto& owner = rows.at(holder).key;
  auto n = find_item(rows, owner);
  if (n == flat_index::none) {
    if (free_.empty()) {
      n = static_cast<std::uint32_t>(items_.size());
      items_.emplace_back();
    } else {
      n = free_.back();
      free_.pop_back();
    }
    index_.insert(hash_of(owner.value), n);
  }
  auto& item = items_[n];
  if (links_.size() <= holder) links_.resize(holder + 1);
  links_[holder] = {no_row, item.first};
  if (item.first != no_row) links_[item.first].before = holder;
  item.first = holder;
  ++item.slots;
  item.cost += cost;
}

void owner_table::remove(const instance_table& rows, row_number holder, std::uint64_t cost) {
  const auto& owner = rows.at(holder).key;
  const auto n = find_item(rows, owner);
  auto& item = items_[n];
  const auto l = std::exchange(links_[holder], {});
  if (l.before != no_row) links_[l.before].after = l.after;
  else item.first = l.after;
  if (l.after != no_row) links_[l.after].before = l.before;
  --item.slots;
  item.cost -= cost;
  if (item.slots > 0) return;
  index_.erase(hash_of(owner.value), n);
  item = {};
  free_.push_back(n);
}

const bound_key* key_table::find(const std::string& key) const {
  const auto n = index_.find(hash_of(key), [&](std::uint32_t i) { return items_[i].key == key; });
  return n == flat_index::none ? nullptr : &items_[n];
}

void key_table::bind(bound_key key) {
  const auto found = index_.find(hash_of(key.key), [&](std::uint32_t i) { return items_[i].key == key.key; });
  if (found != flat_index::none) {
    items_[found] = std::move(key);
    return;
  }
  std::uint32_t n;
  if (free_.empty()) {
    n = static_cast<std::uint32_t>(items_.size());
    items_.emplace_back();
  } else {
    n = free_.back();
    free_.pop_back();
  }
  index_.insert(hash_of(key.key), n);
  items_[n] = std::move(key);
}

void key_table::drop(std::uint32_t n) {
  index_.erase(hash_of(items_[n].key), n);
  items_[n] = {};
  free_.push_back(n);
}

std::vector<bound_key> key_table::sorted() const {
  std::vector<bound_key> all;
  for (const auto& item : items_)
    if (!item.key.empty()) all.push_back(item);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return all;
}

bool seen_entries::contains(const entry_id& id) const {
  return index_.find(hash_of(id), [&](std::uint32_t i) { return ring_[i] == id; }) != flat_index::none;
}

void seen_entries::add(const entry_id& id) {
  if (contains(id)) return;
  if (ring_.size() < capacity) {
    index_.insert(hash_of(id), static_cast<std::uint32_t>(ring_.size()));
    ring_.push_back(id);
    return;
  }
  index_.erase(hash_of(ring_[next_]), static_cast<std::uint32_t>(next_));
  ring_[next_] = id;
  index_.insert(hash_of(id), static_cast<std::uint32_t>(next_));
  next_ = (next_ + 1) % capacity;
}

std::vector<entry_id> seen_entries::ordered() const {
  std::vector<entry_id> all(ring_.begin() + static_cast<std::ptrdiff_t>(next_), ring_.end());
  all.insert(all.end(), ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(next_));
  return all;
}

spec_ptr spec_store::find(const spec_digest& digest) const {
  const auto found = specs_.find(digest);
  return found == specs_.end() ? nullptr : found->second.body;
}

spec_ptr spec_store::acquire(const spec_digest& digest, const spec_ptr& body) {
  auto& spec = specs_[digest];
  if (!spec.body) spec.body = body;
  ++spec.users;
  return spec.body;
}

void spec_store::release(const spec_digest& digest) {
  const auto found = specs_.find(digest);
  if (found != specs_.end() && --found->second.users == 0) specs_.erase(found);
}

source_ptr spec_store::source(const std::string& revision, const spec_digest& digest) {
  auto& known = specs_[digest].sources[revision];
  if (!known) known = std::make_shared<const spec_source>(spec_source{revision, digest});
  return known;
}

} // namespace poseidon
