#include "actors/reaper/reconcile.hpp"

#include <algorithm>
#include <charconv>

namespace poseidon {
namespace {

std::string label_of(const runtime_object& object, const char* name) {
  auto found = object.labels.find(name);
  return found == object.labels.end() ? std::string{} : found->second;
}

/// Labels of a newer schema may mean something that we can't judge.
bool newer_schema(const runtime_object& object) {
  auto text = label_of(object, labels::schema);
  unsigned number = 0, ours = 0;
  std::string_view mine = labels::schema_version;
  std::from_chars(mine.data(), mine.data() + mine.size(), ours);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && number > ours;
}

reap_verdict keep(std::string why) { return {reap_action::keep, std::move(why)}; }
reap_verdict remove(std::string why) { return {reap_action::remove, std::move(why)}; }

/// The last resort: nothing but the labels says anything about it.
reap_verdict judge_by_labels(const runtime_object& object, wall_time now, std::string what) {
  auto text = label_of(object, labels::expires_max);
  auto latest_end = from_rfc3339(text);
  if (!latest_end) return remove(what + ", and nothing says when it ends");
  if (now >= *latest_end) return remove(what + ", and its latest end (" + text + ") has passed");
  return keep(what + ": left until its latest end (" + text + ")");
}

reap_verdict judge_by_ledger(const runtime_object& object, const group_key& key, const reap_knowledge& known) {
  auto found = known.ledger.find(key.instance);
  if (found == known.ledger.end()) return judge_by_labels(object, known.now, "neither journal nor ledger knows it");
  auto& row = found->second;
  if (row.ended && (row.epoch.empty() || row.epoch >= key.epoch)) return remove("its instance has ended"); // empty: a torn log forgot its copies
  if (row.epoch > key.epoch) return remove("its instance has moved on to a newer assignment");
  if (row.epoch == key.epoch && row.node == known.node) return {reap_action::adopt, "the ledger has it running here"};
  return judge_by_labels(object, known.now, "the ledger does not know this assignment");
}

int removal_order(object_kind kind) {
  switch (kind) {
    case object_kind::container: return 0;
    case object_kind::shim: return 1;
    case object_kind::network: return 2;
    case object_kind::volume: return 3;
  }
  return 4;
}

} // namespace

bool labelled_ours(const std::map<std::string, std::string>& object_labels, const std::string& cluster, const node_name& node) {
  auto is = [&](const char* name, const std::string& value) {
    auto found = object_labels.find(name);
    return !value.empty() && found != object_labels.end() && found->second == value;
  };
  return is(labels::cluster, cluster) && is(labels::node, node.value);
}

reap_verdict judge_object(const runtime_object& object, const reap_knowledge& known) {
  if (!labelled_ours(object.labels, known.cluster, known.node)) return {reap_action::ignore, {}};
  auto instance = label_of(object, labels::instance);
  auto at = epoch_from_string(label_of(object, labels::epoch));
  const bool readable = !instance.empty() && at.has_value();
  const group_key key{instance_id{instance}, at.value_or(epoch{})};
  if (readable) {
    if (auto held = known.held.find(key); held != known.held.end())
      return held->second ? reap_verdict{reap_action::finish, "its instance is ending"} : keep("its instance lives");
  }
  if (object.age_ms < known.safety_window.count()) return keep("younger than the safety window");
  if (newer_schema(object)) return keep("its labels are of a newer schema");
  if (!readable) return judge_by_labels(object, known.now, "its labels name no instance and epoch");
  if (known.tombstones.contains(key)) return remove("its instance has ended here");
  return judge_by_ledger(object, key, known);
}

std::vector<judged_object> reconcile(const std::vector<runtime_object>& objects, const reap_knowledge& known) {
  std::vector<judged_object> result;
  for (auto& object : objects) {
    auto verdict = judge_object(object, known);
    if (verdict.action != reap_action::ignore) result.push_back({object, std::move(verdict)});
  }
  std::stable_sort(result.begin(), result.end(),
                   [](auto& a, auto& b) { return removal_order(a.object.kind) < removal_order(b.object.kind); });
  return result;
}

} // namespace poseidon
