#include "actors/journal/journal.hpp"

#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr std::uint64_t retry_token = 1, drop_token = 2;
// What is over - facts that the ledger has, records of instances whose end it has - is dropped with the next commit, whatever it
// is for; while many commits are under way, with one for some dozens of them, which are neighbours in the table. A commit of
// their own comes when nothing else does. A crash before it is harmless: the next run finds that they are over, and drops them.
constexpr millis drop_after{1'000};
constexpr std::size_t most_to_drop = 256, worth_dropping = 64, many_writes = 4, most_to_forget = 10'000;

failure overloaded(const char* what) { return {errc::ledger_unavailable, what, 1'000, {}, {}}; }

struct journal_state {
  static constexpr const char* name = "journal";
  full_journal_actor::pointer self = nullptr;
  journal_deps deps;
  std::unique_ptr<journal_store> store;
  outbox facts;
  std::uint64_t next_fact = 1, next_token = 1;

  struct pending_write {
    caf::typed_response_promise<outcome<done>> answer;
    record_ptr record;
    std::vector<waiting_fact> facts;
    std::vector<std::uint64_t> folded;
    std::vector<group_key> forgotten;
  };
  std::map<std::uint64_t, pending_write> writes;
  std::map<std::uint64_t, caf::typed_response_promise<outcome<std::shared_ptr<const journal_contents>>>> loads;
  std::map<group_key, std::vector<caf::typed_response_promise<outcome<done>>>> flushes, leaving; ///< until its last fact is folded

  std::vector<std::uint64_t> folded;        ///< to be dropped from the store
  std::vector<group_key> forgotten;         ///< the same
  bool drop_armed = false;
  std::uint32_t failures = 0;               ///< in a row
  bool backing_off = false;

  void take_over();
  caf::result<outcome<done>> commit(commit_record& m); ///< takes its facts
  caf::result<outcome<done>> forget(const forget_record& m);
  caf::result<outcome<std::shared_ptr<const journal_contents>>> load();
  caf::result<outcome<done>> flush(const flush_facts& m);
  void written(const journal_written& m);
  void loaded(journal_loaded& m);
  void attach(const attach_ledger& m);
  void due(const timer_due& m);
  caf::result<outcome<done>> write(journal_write what);
  void pump();
  void send(const waiting_fact& fact);
  void judged(std::uint64_t number, const verdict& v);
  void undelivered(std::uint64_t number, const failure& why);
  void gone(std::uint64_t number);
  bool store_write(journal_write what, pending_write pending);
  void keep_for_later(const std::vector<std::uint64_t>& numbers);
  void keep_for_later(const pending_write& failed);
  outcome<done> forget_later(const group_key& key);
  void drop_later();
  bool nothing_to_drop() const { return folded.empty() && forgotten.empty(); }
  void drop();
};

void journal_state::take_over() {
  for (auto& fact : store->facts_at_start()) {
    next_fact = std::max(next_fact, fact.number + 1);
    facts.add(std::move(fact));
  }
  pump();
}

caf::result<outcome<done>> journal_state::commit(commit_record& m) {
  if (facts.size() + m.facts.size() > deps.most_waiting) return outcome<done>{overloaded("too many facts wait for the ledger")};
  journal_write what;
  what.record = m.record;
  group_key group{m.record->instance, m.record->epoch};
  std::erase(forgotten, group); // its record is put anew
  what.facts.reserve(m.facts.size());
  for (auto& body : m.facts) what.facts.push_back({next_fact++, group, std::make_shared<const entry_body>(std::move(body))});
  return write(std::move(what));
}

/// Once the ledger has its last fact, and then without waiting for the disk.
caf::result<outcome<done>> journal_state::forget(const forget_record& m) {
  if (!facts.waits(m.key)) return forget_later(m.key);
  auto answer = self->make_response_promise<outcome<done>>();
  leaving[m.key].push_back(answer);
  return answer;
}

outcome<done> journal_state::forget_later(const group_key& key) {
  if (forgotten.size() >= most_to_forget) return overloaded("too many records wait to be dropped");
  forgotten.push_back(key);
  drop_later();
  return done{};
}

caf::result<outcome<done>> journal_state::write(journal_write what) {
  auto answer = self->make_response_promise<outcome<done>>();
  pending_write pending{answer, what.record, what.facts, {}, {}};
  if (!store_write(std::move(what), std::move(pending))) answer.deliver(outcome<done>{overloaded("too many commits wait for the disk")});
  return answer;
}

/// Takes along what is to be dropped.
bool journal_state::store_write(journal_write what, pending_write pending) {
  const auto token = what.token = next_token++;
  if (!what.record || writes.size() < many_writes || folded.size() >= worth_dropping) {
    what.folded = pending.folded = std::exchange(folded, {});
    what.forgotten = pending.forgotten = std::exchange(forgotten, {});
  }
  if (store->write(std::move(what))) return writes.emplace(token, std::move(pending)), true;
  keep_for_later(pending);
  return false;
}

void journal_state::written(const journal_written& m) {
  for (auto& result : m.results) {
    auto found = writes.extract(result.token);
    if (found.empty()) continue;
    if (result.why) keep_for_later(found.mapped());
    else
      for (auto& fact : found.mapped().facts) facts.add(std::move(fact));
    if (found.mapped().answer.pending()) found.mapped().answer.deliver(result.why ? outcome<done>{result.why} : outcome<done>{done{}});
  }
  pump();
}

caf::result<outcome<std::shared_ptr<const journal_contents>>> journal_state::load() {
  drop(); // what is over is not shown
  auto answer = self->make_response_promise<outcome<std::shared_ptr<const journal_contents>>>();
  auto token = next_token++;
  if (store->load(token)) loads.emplace(token, answer);
  else answer.deliver(outcome<std::shared_ptr<const journal_contents>>{overloaded("too many commits wait for the disk")});
  return answer;
}

void journal_state::loaded(journal_loaded& m) {
  if (auto found = loads.extract(m.token)) found.mapped().deliver(std::move(m.contents));
}

caf::result<outcome<done>> journal_state::flush(const flush_facts& m) {
  if (!facts.waits(m.key)) return outcome<done>{done{}};
  auto answer = self->make_response_promise<outcome<done>>();
  flushes[m.key].push_back(answer);
  return answer;
}

// --- outbox ---------------------------------------------------------------------------------------------------------

void journal_state::attach(const attach_ledger& m) {
  deps.ledger = m.ledger;
  failures = 0;
  backing_off = false;
  pump();
}

void journal_state::pump() {
  if (!deps.ledger || backing_off) return;
  while (facts.on_their_way() < deps.most_on_their_way) {
    auto* fact = facts.take();
    if (!fact) return;
    send(*fact);
  }
}

void journal_state::send(const waiting_fact& fact) {
  auto number = fact.number;
  ask(self, deps.ledger, deps.append_timeout, append_entry{*fact.body}, [this, number](poseidon::folded&& f) { judged(number, f.verdict); },
      [this, number](failure&& why) { undelivered(number, why); });
}

void journal_state::judged(std::uint64_t number, const verdict& v) {
  if (!is_final(v)) return undelivered(number, v.why);
  failures = 0;
  gone(number);
}

void journal_state::undelivered(std::uint64_t number, const failure& why) {
  facts.failed(number); // an append whose outcome is unknown is repeated: the fold knows the fact by its number
  if (backing_off) return;
  backing_off = true;
  auto delay = outbox_delay(failures++);
  if (failures == 1) spdlog::info("journal: facts wait, the ledger says {}: {}", to_string(why.code), why.detail);
  self->send(deps.timers, arm_timer{timer_sink{self}, retry_token, deps.time->boot_now() + delay});
}

void journal_state::due(const timer_due& m) {
  if (m.token == drop_token) {
    drop_armed = false;
    return drop();
  }
  if (m.token != retry_token) return;
  backing_off = false;
  pump();
}

void journal_state::gone(std::uint64_t number) {
  keep_for_later({number});
  if (auto group = facts.folded(number)) {
    if (auto waiting = flushes.extract(*group))
      for (auto& answer : waiting.mapped()) answer.deliver(outcome<done>{done{}});
    if (auto waiting = leaving.extract(*group))
      for (auto& answer : waiting.mapped()) answer.deliver(forget_later(*group));
  }
  pump();
  if (folded.size() >= most_to_drop) drop();
}

void journal_state::keep_for_later(const std::vector<std::uint64_t>& numbers) {
  folded.insert(folded.end(), numbers.begin(), numbers.end());
  drop_later();
}

/// A record that was put again since is not over.
void journal_state::keep_for_later(const pending_write& failed) {
  const auto lives = [this](const group_key& key) {
    return std::any_of(writes.begin(), writes.end(), [&](const auto& each) {
      const auto& record = each.second.record;
      return record && record->instance == key.instance && record->epoch == key.epoch;
    });
  };
  for (auto& key : failed.forgotten)
    if (!lives(key)) forgotten.push_back(key);
  keep_for_later(failed.folded);
}

void journal_state::drop_later() {
  if (nothing_to_drop() || std::exchange(drop_armed, true)) return;
  self->send(deps.timers, arm_timer{timer_sink{self}, drop_token, deps.time->boot_now() + drop_after});
}

void journal_state::drop() {
  if (!nothing_to_drop()) store_write({}, {});
}

full_journal_actor::behavior_type journal_behavior(full_journal_actor::stateful_pointer<journal_state> self, journal_deps deps,
                                                   std::shared_ptr<std::unique_ptr<journal_store>> store) {
  auto& s = self->state;
  s.self = self;
  s.deps = std::move(deps);
  s.store = std::move(*store);
  s.store->attach(self);
  install_handlers(self, journal_state::name);
  s.take_over();
  return {
      [self](commit_record& m) { return self->state.commit(m); },
      [self](const forget_record& m) { return self->state.forget(m); },
      [self](const load_records&) { return self->state.load(); },
      [self](const flush_facts& m) { return self->state.flush(m); },
      [self](const timer_due& m) { self->state.due(m); },
      [self](const attach_ledger& m) { self->state.attach(m); },
      [self](const journal_written& m) { self->state.written(m); },
      [self](journal_loaded& m) { self->state.loaded(m); },
      [self](const journal_sync&) { self->state.store->sync(); },
  };
}

} // namespace

inventory_item tombstone_of(const journal_record& record) {
  inventory_item item;
  item.instance = record.instance;
  item.epoch = record.epoch;
  item.tombstone = true;
  item.reason = record.reason;
  item.running_at = record.running_at;
  if (record.deadline) item.expires_at = record.deadline->wall;
  item.extensions_used_ms = record.extensions_used_ms;
  return item;
}

full_journal_actor spawn_journal(caf::actor_system& system, journal_deps deps, std::unique_ptr<journal_store> store) {
  return system.spawn(journal_behavior, std::move(deps), std::make_shared<std::unique_ptr<journal_store>>(std::move(store)));
}

} // namespace poseidon
