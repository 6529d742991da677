#include "actors/fold/inventory.hpp"

namespace poseidon::folding {
namespace {

using item_map = std::map<withdrawn_key, const inventory_item*>;

struct position position_of(const struct epoch& e) { return {e.incarnation, e.sequence}; }

/// Deadline and extensions are the node's, where its journal has them: facts of them may have been lost with the end of a log.
void sync_running(step& st, row_number n, const inventory_item& item) {
  const auto& known = st.state.instances.at(n);
  const bool begins = known.phase == ledger_phase::assigned;
  const bool differs = known.phase == ledger_phase::running && item.running_at &&
                       (known.expires_at != item.expires_at || known.extensions_used_ms != item.extensions_used_ms);
  if (!item.running || !(begins || differs)) return;
  auto& row = edit(st, n);
  row.phase = ledger_phase::running;
  row.running_at = item.running_at;
  if (row.expires_at != item.expires_at) row.expiring_said = false;
  row.expires_at = item.expires_at;
  row.extensions_used_ms = item.extensions_used_ms;
  if (item.origin) row.ports = item.origin->ports;
}

void end_by_tombstone(step& st, row_number n, const inventory_item& item) {
  const auto& row = st.state.instances.at(n);
  if (item.reason == end_reason::fenced && !row.stop_mark) return give_up_copy(st, n);
  const bool by_mark = row.stop_mark && !means_instance(item.reason);
  const auto reason = item.reason == end_reason::none ? end_reason::lost : item.reason;
  end_instance(st, n, {by_mark ? *row.stop_mark : reason, {}, {}, {}});
}

/// A present assignment of this node: held, ended, or missing.
void check_assigned(step& st, const node_up_entry& e, const item_map& items, row_number n) {
  const auto& row = st.state.instances.at(n);
  const inventory_item* latest = nullptr; // at this epoch, or at a later one that the fold has forgotten
  for (auto at = items.lower_bound({row.id, row.epoch}); at != items.end() && at->first.first == row.id; ++at) latest = at->second;
  if (latest && latest->tombstone) return end_by_tombstone(st, n, *latest);
  if (latest) return latest->epoch == row.epoch ? sync_running(st, n, *latest) : void(); // a later one is taken from there
  // What was assigned after its position may still be begun by this run; what an earlier run was given, by nobody any more.
  if (position_of(row.epoch) <= e.at || row.node_run != e.run) lose_copy(st, n);
}

void check_withdrawn(step& st, const node_up_entry& e, const item_map& items) {
  std::vector<withdrawn_key> gone;
  for (const auto& [key, copy] : st.state.withdrawn) {
    if (copy.node != e.node || e.at < position_of(key.second)) continue;
    const auto held = items.find(key);
    if (held == items.end() || held->second->tombstone) gone.push_back(key);
  }
  for (const auto& [id, epoch] : gone) drop_withdrawn(st, id, epoch);
}

fold_row_ptr row_of(const step& st, const inventory_item& item, const node_up_entry& e) {
  const auto& from = *item.origin;
  auto row = std::make_shared<fold_row>();
  row->id = item.instance;
  row->owner = from.owner;
  row->key = from.key;
  row->challenge = from.challenge;
  row->host = from.host;
  row->metadata = from.metadata;
  row->flag = from.flag;
  row->created = row->changed = st.entry.at;
  row->created_at = from.created_at;
  row->epoch = item.epoch;
  row->node = e.node;
  row->node_run = e.run;
  return row;
}

/// The fold has never heard of it: adopted where its slot is free, else it ends at the epoch it was reported with.
void adopt(step& st, const inventory_item& item, const node_up_entry& e, fold_node& node) {
  auto& s = st.state;
  const auto& from = *item.origin;
  const auto body = s.specs.find(from.spec_id) ? s.specs.find(from.spec_id) : from.spec;
  if (!body) return;
  auto row = row_of(st, item, e);
  row->spec = s.specs.acquire(from.spec_id, body);
  row->source = s.specs.source(from.revision, from.spec_id);
  const bool taken = s.instances.find_slot(row->key, slot_challenge(*row)) != no_row;
  if (taken) {
    row->phase = ledger_phase::ended;
    row->reason = end_reason::fenced;
    row->ended_at = st.entry.what->at;
    keep_withdrawn(st, item.instance, item.epoch, node, row->spec->reserve);
    st.touched.push_back(s.instances.add(std::move(row)));
    return;
  }
  row->phase = item.running ? ledger_phase::running : ledger_phase::assigned;
  row->running_at = item.running_at;
  row->expires_at = item.expires_at;
  row->extensions_used_ms = item.extensions_used_ms;
  row->ports = from.ports;
  const auto need = row->spec->reserve;
  const auto n = s.instances.add(std::move(row));
  st.touched.push_back(n);
  s.instances.hold_slot(n);
  count_slot(s, n, +1);
  reserve(st, node, need);
}

/// The fold knows a lower epoch: it lost the assignment, the node did not.
void take_higher_epoch(step& st, row_number n, const inventory_item& item, const node_up_entry& e, fold_node& node) {
  auto& s = st.state;
  if (s.instances.at(n).phase != ledger_phase::queued) withdraw(st, n, s.instances.at(n).node != e.node);
  dequeue(st, n, false);
  auto& row = edit(st, n);
  row.phase = row.stop_mark ? ledger_phase::stopping : ledger_phase::assigned;
  row.node = e.node;
  row.node_run = e.run;
  row.epoch = item.epoch;
  s.withdrawn_epochs.erase(n);
  row.queue_position = 0;
  row.fact_run = {};
  row.fact_number = 0;
  reserve(st, node, row.spec->reserve);
  sync_running(st, n, item);
}

void check_item(step& st, const inventory_item& item, const node_up_entry& e, fold_node& node) {
  auto& s = st.state;
  const auto n = s.instances.find(item.instance);
  if (item.tombstone) {
    if (n != no_row && speaks_for_instance(s, n, item.epoch, item.reason)) mark_stopped(st, n, item.reason, {});
    return;
  }
  if (n == no_row) {
    if (item.origin) adopt(st, item, e, node);
    return;
  }
  const auto& row = s.instances.at(n);
  if (is_live(row) && row.phase != ledger_phase::queued && row.epoch == item.epoch && row.node == e.node) return;
  const bool holder = is_live(row) && s.instances.holds_slot(n);
  if (holder && last_epoch(s, n) < item.epoch) return take_higher_epoch(st, n, item, e, node);
  if (!is_live(row) && row.epoch < item.epoch) edit(st, n).epoch = item.epoch; // its end means this copy as well
  keep_withdrawn(st, item.instance, item.epoch, node, row.spec->reserve);
}

} // namespace

void take_inventory(step& st, const node_up_entry& e, fold_node& node) {
  item_map items;
  for (const auto& item : e.inventory) items.insert_or_assign({item.instance, item.epoch}, &item);
  for (const auto n : rows_on(st.state, e.node)) check_assigned(st, e, items, n);
  check_withdrawn(st, e, items);
  for (const auto& [key, item] : items) check_item(st, *item, e, node);
}

} // namespace poseidon::folding
