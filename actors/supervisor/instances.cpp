// The children: launched, taken over, fenced, started again after a crash.

#include "actors/supervisor/supervisor_state.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace poseidon {

void supervisor_state::see_row(const row_ptr& row) {
  if (!is_live(*row) || row->node != deps.node) last_held.erase(row->id);
  evaluate(row->id, *row);
  give_back(row->id);
}

void supervisor_state::note_leaving(const instance_row& now) {
  const auto before = rows.find(now.id);
  if (before == rows.end()) return;
  std::optional<epoch> last;
  if (auto found = last_held.find(now.id); found != last_held.end()) last = found->second;
  if (leaves_unbegun(*before->second, now, last, licence())) unbegun[now.id].push_back(before->second);
}

/// Says of an assignment that was never begun that it has ended, unless a copy is in the way. False: there is none to speak of.
bool supervisor_state::give_back(const instance_id& instance) {
  if (held.contains(instance) || shutting_down || superseded) return false;
  auto left = unbegun.find(instance);
  if (left == unbegun.end()) return false;
  const auto row = std::move(left->second.back());
  left->second.pop_back();
  if (left->second.empty()) unbegun.erase(left);
  end_unborn(*row, {duty_kind::end_unborn, end_reason::fenced, {}});
  return true;
}

void supervisor_state::evaluate_all() {
  std::vector<row_ptr> mine;
  for (auto& [id, row] : rows) mine.push_back(row);
  std::sort(mine.begin(), mine.end(), [](auto& a, auto& b) { return a->epoch < b->epoch; });
  for (auto& row : mine) evaluate(row->id, *row);
}

void supervisor_state::evaluate(const instance_id& instance, const instance_row& row) {
  auto child = held.find(instance);
  std::optional<epoch> holding, last;
  if (child != held.end()) holding = child->second.epoch;
  if (auto found = last_held.find(instance); found != last_held.end()) last = found->second;
  auto what = decide_duty(row, holding, last, licence());
  if (evicting && what.kind == duty_kind::launch) what = {duty_kind::end_unborn, end_reason::evicted, drained_by};
  switch (what.kind) {
    case duty_kind::nothing: return;
    case duty_kind::launch: return launch(row);
    case duty_kind::end_unborn: return end_unborn(row, what);
    case duty_kind::stop:
      if (child->second.told_stop || !child->second.actor) return;
      child->second.told_stop = true;
      return ask(
          self, child->second.actor, deps.stop_limit, stop_instance{instance, what.reason, what.actor}, [](done) {}, [](failure) {});
    case duty_kind::fence:
      if (child->second.told_fence || !child->second.actor) return;
      child->second.told_fence = true;
      return self->send(child->second.actor, fence_instance{what.reason});
  }
}

record_extras supervisor_state::extras_of(const instance_row& row, failure& trouble) const {
  record_extras extras{deps.run, deps.url_of ? deps.url_of(row) : std::string{}, {}};
  if (row.flag.bytes.empty()) return extras;
  auto flag = deps.unseal ? deps.unseal(row.flag, row.id) : outcome<secret>{failure{errc::internal, "this node can't open flags", {}, {}, {}}};
  if (flag)
    extras.flag = std::move(*flag);
  else
    trouble = std::move(flag.error);
  return extras;
}

/// A deadline is by the clock of the node that said it.
void supervisor_state::note_clock(const ledger_change& change) {
  if (!deps.clock_ahead) return;
  const auto said = [this](const fact_head& head) {
    if (head.node == deps.node) timed_by.erase(head.instance);
    else timed_by[head.instance] = head.node;
  };
  if (change.cause) {
    if (const auto* running = std::get_if<running_entry>(&change.cause->body)) said(running->head);
    else if (const auto* moved = std::get_if<deadline_moved_entry>(&change.cause->body)) said(moved->head);
  }
  const bool begun_anew = change.cause && std::holds_alternative<incarnation_entry>(change.cause->body);
  const bool told_anew = change.cause && std::holds_alternative<node_up_entry>(change.cause->body);
  for (auto& row : change.instances)
    if (!is_live(*row)) timed_by.erase(row->id);
    else if (begun_anew || (told_anew && row->running_at)) infer_clock(*row);
}

/// Of a row whose history was not seen. What runs has its deadline from the node that runs it; what was moved, and does not run
/// yet, has an earlier node's, which the row does not name.
void supervisor_state::infer_clock(const instance_row& row) {
  if (!deps.clock_ahead || !is_live(row) || !row.expires_at) return;
  if (row.running_at && row.node == deps.node) timed_by.erase(row.id);
  else if (row.running_at) timed_by[row.id] = row.node;
  else if (!said_here(row)) timed_by.try_emplace(row.id);
}

bool supervisor_state::said_here(const instance_row& row) const {
  return journal && std::ranges::any_of(journal->records, [&row](const record_ptr& record) {
    return record->instance == row.id && record->deadline && record->deadline->wall == *row.expires_at;
  });
}

std::optional<wall_time> supervisor_state::deadline_here(const instance_row& row) const {
  const auto other = timed_by.find(row.id);
  if (!row.expires_at || other == timed_by.end() || !deps.clock_ahead) return row.expires_at;
  if (const auto ahead = deps.clock_ahead(other->second)) return *row.expires_at - *ahead;
  // By a clock that nobody here has seen, or can tell: all that was granted, anew. Late, but never early.
  return deps.clock->wall_now() + millis{row.spec->lifetime_ms + row.extensions_used_ms};
}

void supervisor_state::launch(const instance_row& row) {
  failure trouble;
  auto record = record_of_assignment(row, extras_of(row, trouble));
  if (record.deadline) record.deadline->wall = *deadline_here(row);
  if (trouble) {
    record.reason = end_reason::failed;
    record.why = std::move(trouble);
  }
  spawn({std::make_shared<const journal_record>(std::move(record)), false});
}

/// It gets an actor all the same: the one that says `ended`, after making sure that nothing of it exists.
void supervisor_state::end_unborn(const instance_row& row, const duty& what) {
  auto record = record_of_assignment(row, {deps.run, {}, {}});
  record.reason = what.reason;
  record.stopped_by = what.actor;
  spawn({std::make_shared<const journal_record>(std::move(record)), false});
}

void supervisor_state::adopt(const record_ptr& record) {
  auto child = held.find(record->instance);
  if (child == held.end()) return spawn({record, true});
  if (child->second.epoch >= record->epoch) return;
  parked[record->instance] = record; // its older copy is there: fenced first
  if (child->second.actor && !child->second.told_fence) {
    child->second.told_fence = true;
    self->send(child->second.actor, fence_instance{end_reason::fenced});
  }
}

/// What runs here and is not in the journal: a copy that the ledger has here, or one that it knows to be over, gets a
/// record again, durable first, and an actor. False when it is not to be reported: another copy has the instance's place
/// (the reaper removes this one), or the journal says that it has ended.
bool supervisor_state::take_lost(const row_ptr& row, const labelled_group& group) {
  for (auto& record : journal->records)
    if (record->instance == group.key.instance) return record->epoch == group.key.epoch;
  for (auto& tombstone : journal->tombstones)
    if (tombstone.instance == group.key.instance && tombstone.epoch == group.key.epoch) return false;
  if (held.contains(group.key.instance)) return held.at(group.key.instance).epoch == group.key.epoch;
  const auto what = judge_lost(row.get(), group, deps.node);
  if (what == lost_group::unknown) return true;
  failure trouble;
  auto record = std::make_shared<const journal_record>(what == lost_group::licensed ? record_of_lost(*row, group, extras_of(*row, trouble))
                                                                                    : record_of_unlicensed(*row, group, deps.run));
  ask(
      self, deps.journal, deps.ask_timeout, commit_record{record, {}},
      [this, record](done) {
        spdlog::warn("supervisor: instance {} was not in the journal: taken over from ledger and engine", record->instance.value);
        adopt(record);
      },
      [record](failure why) { spdlog::error("supervisor: instance {} can't be taken over: {}", record->instance.value, why.detail); });
  return true;
}

void supervisor_state::spawn(const instance_seed& seed) {
  const auto& record = *seed.record;
  auto& child = held[record.instance];
  child.epoch = record.epoch;
  child.again_at.reset();
  child.told_stop = child.told_fence = false;
  child.actor = deps.make_instance(seed);
  last_held[record.instance] = record.epoch;
  kids->watch(caf::actor_cast<caf::actor>(child.actor),
              [this, instance = record.instance, at = record.epoch](const caf::error& reason) { child_ended(instance, at, reason); });
  if (auto row = rows.find(record.instance); row != rows.end()) evaluate(record.instance, *row->second);
  if (auto born = held.find(record.instance); evicting && born != held.end()) evict(born->first, born->second);
}

void supervisor_state::child_ended(const instance_id& instance, const epoch& at, const caf::error& reason) {
  auto found = held.find(instance);
  if (found == held.end() || found->second.epoch != at) return;
  found->second.actor = nullptr;
  if (reason && !shutting_down) return crashed(found->second, instance, reason);
  held.erase(found);
  if (shutting_down) {
    if (kids->watched() == 0) end_children();
    return;
  }
  if (give_back(instance)) return;
  if (auto later = parked.extract(instance)) return adopt(later.mapped());
  auto row = rows.find(instance);
  if (row != rows.end())
    evaluate(instance, *row->second);
  else
    last_held.erase(instance);
}

void supervisor_state::crashed(held_instance& child, const instance_id& instance, const caf::error& reason) {
  const auto now = deps.clock->boot_now();
  auto next = decide_restart(deps.instance_rule, child.restarts, now);
  spdlog::error("supervisor: the actor of instance {} crashed: {}", instance.value, caf::to_string(reason));
  if (!next.allowed && !child.given_up) {
    spdlog::error("supervisor: the actor of instance {} keeps crashing: the instance is made to end", instance.value);
    child.given_up = true;
    next.delay = deps.instance_rule.longest_delay;
  } else if (!next.allowed) {
    next.delay = deps.instance_rule.window;
  }
  note_restart(deps.instance_rule, child.restarts, now);
  child.again_at = now + next.delay;
  arm_revival();
}

void supervisor_state::arm_revival() {
  std::optional<boot_time> first;
  for (auto& [id, child] : held)
    if (child.again_at && (!first || *child.again_at < *first)) first = child.again_at;
  if (first) arm(supervisor_token::revival, *first);
}

/// What the crashed ones were is in the journal.
void supervisor_state::revive_due() {
  const auto now = deps.clock->boot_now();
  std::vector<instance_id> due;
  for (auto& [id, child] : held)
    if (child.again_at && *child.again_at <= now) due.push_back(id);
  std::sort(due.begin(), due.end());
  for (auto& id : due) held.at(id).again_at.reset();
  arm_revival();
  if (due.empty()) return;
  ask(
      self, deps.journal, deps.ask_timeout, load_records{},
      [this, due](std::shared_ptr<const journal_contents> contents) { revive(*contents, due); },
      [this, due](failure why) {
        spdlog::error("supervisor: the journal can't be read: {}", why.detail);
        for (auto& id : due)
          if (auto child = held.find(id); child != held.end() && !child->second.actor)
            child->second.again_at = deps.clock->boot_now() + deps.longest_retry;
        arm_revival();
      });
}

void supervisor_state::revive(const journal_contents& contents, const std::vector<instance_id>& due) {
  std::unordered_map<instance_id, record_ptr> records;
  for (auto& record : contents.records)
    if (auto child = held.find(record->instance); child != held.end() && child->second.epoch == record->epoch) records[record->instance] = record;
  for (auto& id : due) {
    auto child = held.find(id);
    if (child == held.end() || child->second.actor || shutting_down) continue;
    if (auto found = records.find(id); found != records.end()) {
      auto record = found->second;
      if (child->second.given_up && record->reason == end_reason::none) {
        auto failing = *record;
        failing.reason = end_reason::failed;
        failing.why = failure{errc::internal, "the instance's actor kept crashing", {}, {}, {}};
        record = std::make_shared<const journal_record>(std::move(failing));
      }
      spawn({record, true});
      ask(
          self, deps.ledger, deps.ask_timeout, get_instance{id}, [this, id](row_ptr row) { if (row) evaluate(id, *row); }, [](failure) {});
      continue;
    }
    held.erase(child); // it had ended, or was never committed: begun anew if the fold still wants it here
    last_held.erase(id);
    if (auto row = rows.find(id); row != rows.end()) evaluate(id, *row->second);
  }
}

} // namespace poseidon
