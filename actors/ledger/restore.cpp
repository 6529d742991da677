#include "actors/ledger/restore.hpp"

#include <algorithm>

namespace poseidon {
namespace {

/// So many of a state's last entries are looked for in the other one. More than one, since an entry that was under way when the log tore may
/// be in both without what came before it.
constexpr std::size_t compared_entries = 1'000;

bool has_last_entries(const ledger_state& in, const std::vector<entry_id>& of) {
  const auto count = std::min(of.size(), compared_entries);
  return std::all_of(of.end() - static_cast<std::ptrdiff_t>(count), of.end(), [&](const auto& id) { return in.recent.contains(id); });
}

/// What the list is kept by: an entry about the same subject says it, or has overtaken it.
constexpr const char* start_subject = "start ";
std::string subject_of(const start_entry& e) { return start_subject + e.instance.value + " " + e.idempotency_key; }
std::string subject_of(const cancel_entry& e) { return "end " + e.instance.value; }
std::string subject_of(const put_key_entry& e) { return "key " + e.key.value; }
std::string subject_of(const drop_key_entry& e) { return "key " + e.key.value; }
std::string subject_of(const put_setting_entry& e) { return "setting " + e.name; }
std::string subject_of(const put_limits_entry&) { return "limits"; }
std::string subject_of(const set_pause_entry&) { return "pause"; }
std::string subject_of(const put_challenge_entry& e) { return "challenge " + e.challenge.value; }
std::string subject_of(const drop_challenge_entry& e) { return "challenge " + e.challenge.value; }
std::string subject_of(const enable_challenge_entry& e) { return "enabled " + e.challenge.value; }
std::string subject_of(const set_node_mode_entry& e) { return "mode " + e.node.value; }
std::string subject_of(const activate_entry&) { return "rules"; }
template <class Other>
std::string subject_of(const Other&) {
  return {};
}

class comparison {
public:
  comparison(const ledger_state& old, const ledger_state& next, bool forked) : old_(old), next_(next), forked_(forked) {}

  std::vector<entry_body> run() {
    if (old_.fold_version > next_.fold_version) say(activate_entry{old_.fold_version});
    challenges();
    administration();
    nodes();
    ends();
    starts();
    return std::move(missing_);
  }

private:
  void say(entry_body body) { missing_.push_back(std::move(body)); }

  void challenges() {
    for (const auto& [id, row] : old_.challenges) {
      const auto found = next_.challenges.find(id);
      const auto* known = found == next_.challenges.end() ? nullptr : found->second.get();
      if (known && forked_) continue;
      if (!known || known->revision != row->revision || known->spec_id != row->spec_id || known->metadata != row->metadata)
        say(put_challenge_entry{id, row->revision, row->spec_id, row->spec, row->metadata, row->confidential});
      if (row->enabled != (known ? known->enabled : true)) say(enable_challenge_entry{id, row->enabled});
    }
    if (forked_) return;
    for (const auto& [id, row] : next_.challenges)
      if (!old_.challenges.contains(id)) say(drop_challenge_entry{id});
  }

  void administration() {
    keys();
    settings();
    if (forked_) return;
    const auto &before = old_.admin, &after = next_.admin;
    if (before.limits != after.limits) say(put_limits_entry{before.limits});
    if (before.paused != after.paused || before.pause_message != after.pause_message) say(set_pause_entry{before.paused, before.pause_message});
  }

  static const put_key_entry* find_key(const struct administration& in, const key_id& key) {
    const auto found = std::find_if(in.keys.begin(), in.keys.end(), [&](const auto& each) { return each.key == key; });
    return found == in.keys.end() ? nullptr : &*found;
  }
  void keys() {
    for (const auto& key : old_.admin.keys) {
      const auto* known = find_key(next_.admin, key.key);
      if (!known || (!forked_ && (known->sha256 != key.sha256 || known->scopes != key.scopes || known->note != key.note))) say(key);
    }
    if (forked_) return;
    for (const auto& key : next_.admin.keys)
      if (!find_key(old_.admin, key.key)) say(drop_key_entry{key.key});
  }
  void settings() {
    for (const auto& [name, value] : old_.admin.settings) {
      const auto known = next_.admin.settings.find(name);
      if (known == next_.admin.settings.end() || (!forked_ && known->second != value)) say(put_setting_entry{name, value});
    }
    if (forked_) return;
    for (const auto& [name, value] : next_.admin.settings)
      if (!old_.admin.settings.contains(name)) say(put_setting_entry{name, {}});
  }

  void nodes() {
    if (forked_) return;
    for (const auto& [name, node] : old_.nodes) {
      const auto known = next_.nodes.find(name);
      if (known == next_.nodes.end()) continue; // it registers anew
      const auto &before = *node.row, &after = *known->second.row;
      if (before.mode != after.mode || before.drain_limit_ms != after.drain_limit_ms || before.drain_move != after.drain_move)
        say(set_node_mode_entry{name, before.mode, before.drain_limit_ms, before.drain_move});
    }
  }

  /// Why it ended, or shall; nothing: it goes on.
  static std::optional<end_reason> end_of(const fold_row& row) {
    if (!is_live(row)) return row.reason == end_reason::none ? end_reason::stopped : row.reason;
    return row.stop_mark;
  }
  void say_end(const fold_row& row) {
    if (const auto reason = end_of(row)) say(cancel_entry{row.id, *reason, row.stopped_by});
  }

  void ends() {
    for (const auto* row : sorted_rows()) {
      const auto n = next_.instances.find(row->id);
      if (n == no_row) continue;
      const auto& known = next_.instances.at(n);
      if (is_live(known) && !known.stop_mark) say_end(*row);
    }
  }

  void starts() {
    std::map<instance_id, std::vector<const bound_key*>> keys;
    const auto bound = old_.bound_keys.sorted();
    for (const auto& key : bound)
      if (!next_.bound_keys.find(key.key)) keys[key.instance].push_back(&key);
    for (const auto* row : sorted_rows()) {
      const bool unknown = next_.instances.find(row->id) == no_row;
      const auto own = keys.find(row->id);
      if (unknown && own == keys.end()) say(start_of(*row, {}));
      if (own != keys.end())
        for (const auto* key : own->second) say(start_of(*row, *key));
      if (unknown) say_end(*row);
    }
  }

  static start_entry start_of(const fold_row& row, const bound_key& key) {
    start_entry e;
    e.idempotency_key = key.key;
    e.body_digest = key.body_digest;
    e.instance = row.id;
    e.owner = row.owner;
    e.key = row.key;
    e.challenge = row.challenge;
    e.revision = row.source->revision;
    e.spec = row.source->spec_id;
    e.inline_spec = row.spec;
    e.host = row.host;
    e.metadata = row.metadata;
    e.flag = row.flag;
    e.restored = true;
    return e;
  }

  /// In the order of their admission.
  const std::vector<const fold_row*>& sorted_rows() {
    if (!rows_.empty()) return rows_;
    old_.instances.each([&](row_number, const fold_row& row) { rows_.push_back(&row); });
    std::sort(rows_.begin(), rows_.end(), [](auto* a, auto* b) { return std::tie(a->created, a->id) < std::tie(b->created, b->id); });
    return rows_;
  }

  const ledger_state &old_, &next_;
  const bool forked_;
  std::vector<const fold_row*> rows_;
  std::vector<entry_body> missing_;
};

/// The state has it already.
bool is_settled(const start_entry& e, const ledger_state& now) {
  return now.instances.find(e.instance) != no_row && (e.idempotency_key.empty() || now.bound_keys.find(e.idempotency_key));
}
bool is_settled(const cancel_entry& e, const ledger_state& now) {
  const auto n = now.instances.find(e.instance);
  return n != no_row && (!is_live(now.instances.at(n)) || now.instances.at(n).stop_mark);
}
bool is_settled(const activate_entry& e, const ledger_state& now) { return now.fold_version >= e.fold_version; }
template <class Other>
bool is_settled(const Other&, const ledger_state&) {
  return false; // said by an entry of its own
}

} // namespace

lineage lineage_of(const ledger_state& old, const ledger_state& next) {
  const auto ours = old.recent.ordered();
  auto theirs = next.recent.ordered();
  if (has_last_entries(next, ours)) return lineage::goes_on;
  if (!theirs.empty()) theirs.pop_back(); // the incarnation's own entry
  if (has_last_entries(old, theirs)) return lineage::behind;
  // Nothing in common: further apart than entries are remembered.
  const bool apart = std::none_of(ours.begin(), ours.end(), [&](const auto& id) { return next.recent.contains(id); });
  const bool ahead = next.inherited > old.at;
  if (apart && (ahead ? theirs : ours).size() + 1 >= seen_entries::capacity) return ahead ? lineage::goes_on : lineage::behind;
  return lineage::forked;
}

std::vector<entry_body> missing_entries(const ledger_state& old, const ledger_state& next) {
  const auto how = lineage_of(old, next);
  if (how == lineage::goes_on) return {};
  return comparison{old, next, how == lineage::forked}.run();
}

void restoration::opened(const ledger_state& old, const ledger_state& next) {
  sent_before_ = 0; // what was under way may be void
  for (auto& body : missing_entries(old, next)) add(std::move(body));
}

void restoration::add(entry_body body) {
  const auto subject = std::visit([](const auto& e) { return subject_of(e); }, body);
  const auto [place, fresh] = by_subject_.try_emplace(subject, next_number_);
  if (!fresh) { // the later word about the same thing
    items_.erase(place->second);
    place->second = next_number_;
  }
  items_.emplace(next_number_++, std::move(body));
}

void restoration::drop(const std::string& subject) {
  const auto found = by_subject_.find(subject);
  if (found == by_subject_.end()) return;
  items_.erase(found->second);
  by_subject_.erase(found);
}

bool restoration::start_waits(const instance_id& instance) const {
  const auto prefix = start_subject + instance.value + " ";
  const auto first = by_subject_.lower_bound(prefix);
  return first != by_subject_.end() && first->first.starts_with(prefix);
}

void restoration::drop_settled(const ledger_state& now) {
  std::vector<std::string> settled;
  for (const auto& [subject, number] : by_subject_)
    if (std::visit([&](const auto& e) { return is_settled(e, now); }, items_.at(number))) settled.push_back(subject);
  for (const auto& subject : settled) drop(subject);
}

void restoration::folded(const entry& what, const verdict& judged, const ledger_state& now) {
  if (items_.empty()) return;
  const bool unjudged = judged.kind == verdict_kind::without_effect && judged.why.code == errc::stale;
  if (unjudged) return; // repeated, or its appender was too far behind
  if (std::holds_alternative<node_up_entry>(what.body)) return drop_settled(now); // instances came back with their node
  const auto* ends = std::get_if<cancel_entry>(&what.body);
  if (ends && judged.why.code == errc::unknown_instance && start_waits(ends->instance)) return;
  const auto subject = std::visit([](const auto& e) { return subject_of(e); }, what.body);
  if (!subject.empty()) drop(subject);
}

std::vector<entry_body> restoration::next(const ledger_state& now, std::size_t most) {
  std::vector<entry_body> due;
  for (auto item = items_.begin(); item != items_.end() && due.size() < most;) {
    const auto& body = item->second;
    sent_before_ = item->first + 1;
    ++item; // it may be dropped
    if (!std::visit([&](const auto& e) { return is_settled(e, now); }, body)) due.push_back(body);
    else drop(std::visit([](const auto& e) { return subject_of(e); }, body));
  }
  return due;
}

} // namespace poseidon
