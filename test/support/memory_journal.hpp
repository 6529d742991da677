#pragma once
// A journal whose contents outlive its actor, as a disk does; its outbox goes to a ledger actor, in order.

#include "actors/interfaces.hpp"
#include "actors/kit/ask.hpp"

#include <deque>

namespace poseidon::test {

/// What is durable; shared between runs.
struct memory_journal {
  data_id data{5, 5};
  std::map<group_key, record_ptr> records;
  std::map<group_key, inventory_item> tombstones;
  std::deque<entry_body> outbox;
  bool failing = false; ///< every request is refused
  std::size_t loads = 0;

  void lose() {
    records.clear();
    tombstones.clear();
    outbox.clear();
  }
};
using memory_journal_ptr = std::shared_ptr<memory_journal>;

struct memory_journal_state {
  journal_actor::pointer self;
  memory_journal_ptr disk;
  ledger_actor ledger;
  bool sending = false;
  std::vector<caf::typed_response_promise<outcome<done>>> flushing;

  explicit memory_journal_state(journal_actor::pointer me) : self(me) {}

  static failure broken() { return {errc::internal, "the journal's disk fails", {}, {}, {}}; }

  outcome<done> commit(const commit_record& m) {
    if (disk->failing) return broken();
    disk->records[{m.record->instance, m.record->epoch}] = m.record;
    disk->outbox.insert(disk->outbox.end(), m.facts.begin(), m.facts.end());
    send_next();
    return done{};
  }
  void send_next() {
    if (sending) return;
    if (disk->outbox.empty()) {
      for (auto& promise : flushing) promise.deliver(outcome<done>{done{}});
      flushing.clear();
      return;
    }
    sending = true;
    ask(
        self, ledger, millis{5'000}, append_entry{disk->outbox.front()},
        [this](folded) {
          disk->outbox.pop_front();
          sending = false;
          send_next();
        },
        [this](failure) {
          sending = false; // waits for the next commit or flush
        });
  }
  outcome<done> forget(const forget_record& m) {
    if (disk->failing) return broken();
    auto found = disk->records.find(m.key);
    if (found == disk->records.end()) return done{};
    inventory_item item;
    item.instance = m.key.instance;
    item.epoch = m.key.epoch;
    item.tombstone = true;
    item.reason = found->second->reason;
    disk->tombstones[m.key] = item;
    disk->records.erase(found);
    return done{};
  }
  outcome<std::shared_ptr<const journal_contents>> load() {
    if (disk->failing) return broken();
    ++disk->loads;
    auto c = std::make_shared<journal_contents>();
    c->data = disk->data;
    for (auto& [key, record] : disk->records) c->records.push_back(record);
    for (auto& [key, item] : disk->tombstones) c->tombstones.push_back(item);
    c->waiting_facts = disk->outbox.size();
    return std::shared_ptr<const journal_contents>(std::move(c));
  }
  caf::typed_response_promise<outcome<done>> flush() {
    auto promise = self->make_response_promise<outcome<done>>();
    flushing.push_back(promise);
    send_next();
    return promise;
  }
};

inline journal_actor spawn_memory_journal(caf::actor_system& system, memory_journal_ptr disk, ledger_actor ledger) {
  return system.spawn([disk, ledger](journal_actor::stateful_pointer<memory_journal_state> self) -> journal_actor::behavior_type {
    auto* s = &self->state;
    s->disk = disk;
    s->ledger = ledger;
    return {
        [s](const commit_record& m) { return s->commit(m); },
        [s](const forget_record& m) { return s->forget(m); },
        [s](const load_records&) { return s->load(); },
        [s](const flush_facts&) { return s->flush(); },
    };
  });
}

} // namespace poseidon::test
