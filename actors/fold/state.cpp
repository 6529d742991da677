#include "actors/fold/state.hpp"

#include <algorithm>

namespace poseidon {
namespace {

row_ptr with_place(const ledger_state& state, row_number n) {
  const auto& row = state.instances.ptr(n);
  if (row->phase != ledger_phase::queued) return row;
  const auto holder = state.instances.find_slot(row->key, slot_challenge(*row));
  const auto place = holder == n ? state.queue.place_of(row->key, row->created, row->id) : 1;
  if (place == row->queue_position) return row;
  auto copy = std::make_shared<instance_row>(*row);
  copy->queue_position = place;
  return copy;
}

} // namespace

struct epoch last_epoch(const ledger_state& state, row_number n) {
  const auto& row = state.instances.at(n);
  if (!row.epoch.empty()) return row.epoch;
  const auto found = state.withdrawn_epochs.find(n);
  return found == state.withdrawn_epochs.end() ? epoch{} : found->second;
}

row_ptr find_row(const ledger_state& state, const instance_id& id) {
  const auto n = state.instances.find(id);
  return n == no_row ? nullptr : with_place(state, n);
}

row_ptr find_live_row(const ledger_state& state, const owner_key& owner, const std::string& challenge) {
  const auto n = state.instances.find_slot(owner, challenge);
  if (n == no_row) return nullptr;
  const auto waiter = state.instances.waiter(n);
  return with_place(state, waiter == no_row ? n : waiter);
}

ledger_image_ptr image_of(const ledger_state& state) {
  auto image = std::make_shared<ledger_image>();
  image->at = state.at;
  image->instances.reserve(state.instances.size());
  state.instances.each([&](row_number n, const fold_row&) { image->instances.push_back(state.instances.ptr(n)); });
  std::sort(image->instances.begin(), image->instances.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
  for (const auto& [name, node] : state.nodes) image->nodes.push_back(node.row);
  for (const auto& [id, challenge] : state.challenges) image->challenges.push_back(challenge);
  image->admin = state.admin;
  return image;
}

} // namespace poseidon
