#include "actors/fold/queue.hpp"

#include <algorithm>

namespace poseidon {

void fair_queue::add(const owner_key& owner, struct position created, const instance_id& id, row_number row) {
  auto [at, fresh] = lanes_.try_emplace(owner);
  auto& l = at->second;
  if (fresh) l.turn = turn_;
  else order_.erase(key_of(owner, l));
  l.items.emplace(item_key{created, id}, row);
  order_.emplace(key_of(owner, l), l.items.begin()->second);
  ++size_;
}

bool fair_queue::remove(const owner_key& owner, struct position created, const instance_id& id, bool served) {
  const auto at = lanes_.find(owner);
  if (at == lanes_.end()) return false;
  auto& l = at->second;
  const auto item = l.items.find(item_key{created, id});
  if (item == l.items.end()) return false;
  order_.erase(key_of(owner, l));
  l.items.erase(item);
  --size_;
  if (served) l.turn = ++turn_;
  if (l.items.empty()) lanes_.erase(at);
  else order_.emplace(key_of(owner, l), l.items.begin()->second);
  return true;
}

std::uint32_t fair_queue::place_of(const owner_key& owner, struct position created, const instance_id& id) const {
  const auto at = lanes_.find(owner);
  if (at == lanes_.end()) return 0;
  const auto item = at->second.items.find(item_key{created, id});
  if (item == at->second.items.end()) return 0;
  const auto before = static_cast<std::size_t>(std::distance(at->second.items.begin(), item));
  const auto mine = key_of(owner, at->second);
  std::size_t place = before + 1;
  for (const auto& [key, head] : order_)
    if (key.owner != owner) place += std::min(lanes_.at(key.owner).items.size(), before + (key < mine ? 1 : 0));
  return static_cast<std::uint32_t>(place);
}

std::map<owner_key, std::uint64_t> fair_queue::lane_turns() const {
  std::map<owner_key, std::uint64_t> turns;
  for (const auto& [owner, l] : lanes_) turns.emplace(owner, l.turn);
  return turns;
}

void fair_queue::restore_turns(std::uint64_t turn, const std::map<owner_key, std::uint64_t>& lanes) {
  turn_ = turn;
  order_.clear();
  for (auto& [owner, l] : lanes_) {
    if (const auto known = lanes.find(owner); known != lanes.end()) l.turn = known->second;
    order_.emplace(key_of(owner, l), l.items.begin()->second);
  }
}

} // namespace poseidon
