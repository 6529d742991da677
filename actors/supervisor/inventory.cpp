#include "actors/supervisor/inventory.hpp"

#include <utility>

namespace poseidon {
namespace {

std::string label_of(const runtime_object& object, const char* name) {
  auto found = object.labels.find(name);
  return found == object.labels.end() ? std::string{} : found->second;
}

instance_origin origin_of(const journal_record& r, const inventory_sources& from) {
  instance_origin o;
  o.owner = r.owner;
  o.key = r.key;
  o.challenge = r.challenge;
  o.revision = r.revision;
  o.spec_id = r.spec_id;
  o.spec = r.spec;
  o.host = r.host;
  if (!r.flag.empty() && from.seal) o.flag = from.seal(r.flag, r.instance);
  o.created_at = r.created_at;
  o.ports = r.ports;
  return o;
}

inventory_item item_of(const journal_record& r, const inventory_sources& from) {
  inventory_item item;
  item.instance = r.instance;
  item.epoch = r.epoch;
  item.tombstone = r.ended_at.has_value();
  item.reason = item.tombstone ? r.reason : end_reason::none;
  item.running = r.phase == phase::running || r.phase == phase::restarting;
  item.running_at = r.running_at;
  if (r.deadline) item.expires_at = r.deadline->wall;
  item.extensions_used_ms = r.extensions_used_ms;
  if (!item.tombstone && !from.known.contains(r.instance)) item.origin = origin_of(r, from);
  return item;
}

/// A deadline that is known by wall time alone.
durable_deadline by_wall(wall_time at) { return {{}, {}, at}; }

} // namespace

std::vector<labelled_group> groups_of(const std::vector<runtime_object>& objects, const std::string& cluster, const node_name& node) {
  std::map<group_key, labelled_group> groups;
  for (auto& object : objects) {
    if (object.kind != object_kind::container) continue;
    if (label_of(object, labels::cluster) != cluster || label_of(object, labels::node) != node.value) continue;
    auto at = epoch_from_string(label_of(object, labels::epoch));
    auto instance = label_of(object, labels::instance);
    if (!at || instance.empty() || instance == labels::warm) continue;
    group_key key{instance_id{instance}, *at};
    auto [found, first] = groups.try_emplace(key, labelled_group{key, object.running, {}, {}});
    auto& group = found->second;
    group.running = group.running && object.running;
    if (!group.expires_max) group.expires_max = from_rfc3339(label_of(object, labels::expires_max));
    group.ports.insert(group.ports.end(), object.state.ports.begin(), object.state.ports.end());
  }
  std::vector<labelled_group> result;
  for (auto& [key, group] : groups) result.push_back(std::move(group));
  return result;
}

journal_record record_of_assignment(const instance_row& row, record_extras extras) {
  journal_record r;
  r.instance = row.id;
  r.epoch = row.epoch;
  r.run = extras.run;
  r.owner = row.owner;
  r.key = row.key;
  r.challenge = row.challenge;
  if (row.source) {
    r.revision = row.source->revision;
    r.spec_id = row.source->spec_id;
  }
  r.spec = row.spec;
  r.host = row.host;
  r.url = std::move(extras.url);
  r.flag = std::move(extras.flag);
  r.created_at = row.created_at;
  if (row.expires_at) r.deadline = by_wall(*row.expires_at);
  r.extensions_used_ms = row.extensions_used_ms;
  return r;
}

journal_record record_of_lost(const instance_row& row, const labelled_group& group, record_extras extras) {
  auto r = record_of_assignment(row, std::move(extras));
  r.phase = phase::creating;
  r.ports = row.ports.empty() ? group.ports : row.ports;
  if (row.phase != ledger_phase::running) return r;
  r.phase = phase::running;
  r.running_at = row.running_at;
  if (!r.deadline && group.expires_max) r.deadline = by_wall(*group.expires_max);
  return r;
}

journal_record record_of_unlicensed(const instance_row& row, const labelled_group& group, const run_id& run) {
  auto r = record_of_assignment(row, {run, {}, {}});
  r.epoch = group.key.epoch;
  r.deadline.reset();
  r.reason = end_reason::fenced;
  return r;
}

lost_group judge_lost(const instance_row* row, const labelled_group& group, const node_name& node) {
  if (!row || (!row->epoch.empty() && row->epoch < group.key.epoch)) return lost_group::unknown;
  return is_live(*row) && row->epoch == group.key.epoch && row->node == node ? lost_group::licensed : lost_group::unlicensed;
}

std::vector<inventory_item> make_inventory(const inventory_sources& from) {
  std::map<group_key, inventory_item> items;
  for (auto& record : from.journal->records) items.emplace(group_key{record->instance, record->epoch}, item_of(*record, from));
  for (auto& tombstone : from.journal->tombstones) items.emplace(group_key{tombstone.instance, tombstone.epoch}, tombstone);
  for (auto& [key, row] : from.begun) {
    inventory_item item;
    item.instance = key.instance;
    item.epoch = key.epoch;
    items.emplace(key, std::move(item));
  }
  for (auto& group : from.groups) {
    inventory_item item;
    item.instance = group.key.instance;
    item.epoch = group.key.epoch;
    item.running = group.running;
    item.expires_at = group.expires_max;
    items.emplace(group.key, std::move(item));
  }
  std::vector<inventory_item> result;
  result.reserve(items.size());
  for (auto& [key, item] : items) result.push_back(std::move(item));
  return result;
}

} // namespace poseidon
