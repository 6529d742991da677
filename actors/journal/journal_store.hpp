#pragma once
// Where a journal keeps its records: SQLite, or memory. Commits end by a message to the journal actor.

#include "actors/interfaces.hpp"
#include "actors/journal/outbox.hpp"

namespace poseidon {

/// One commit: all of it, in this order, or nothing.
struct journal_write {
  std::uint64_t token = 0;           ///< answered with journal_written
  std::vector<group_key> forgotten;  ///< drop their records, keep tombstones
  record_ptr record;                 ///< put, null: none
  std::vector<waiting_fact> facts;   ///< added to the outbox
  std::vector<std::uint64_t> folded; ///< dropped from the outbox
};

/// These commits are done, in the order they were asked for; `why` of each is empty when it is durable.
struct journal_written {
  using poseidon_message = void;
  struct result {
    std::uint64_t token = 0;
    failure why;
  };
  std::vector<result> results;
};
struct journal_loaded {
  using poseidon_message = void;
  std::uint64_t token = 0;
  outcome<std::shared_ptr<const journal_contents>> contents;
};
/// From whoever spawns: the ledger to hand facts to; again when it was started anew.
struct attach_ledger {
  using poseidon_message = void;
  ledger_actor ledger;
};
/// A memory journal's commits become durable.
struct journal_sync {
  using poseidon_message = void;
};
using full_journal_actor = journal_actor::extend<reacts_to<timer_due>, reacts_to<attach_ledger>, reacts_to<journal_written>,
                                                 reacts_to<journal_loaded>, reacts_to<journal_sync>>;

class journal_store {
public:
  virtual ~journal_store() = default;
  /// The actor that is told. Called once, before anything else.
  virtual void attach(const full_journal_actor& journal) = 0;
  /// Facts left by earlier runs, in order.
  virtual std::vector<waiting_fact> facts_at_start() = 0;
  /// False when too much waits: nothing was taken.
  virtual bool write(journal_write what) = 0;
  virtual bool load(std::uint64_t token) = 0;
  /// journal_sync: commits what waits, for stores without a thread of their own.
  virtual void sync() {}
};

/// How long and how many tombstones are kept.
struct tombstone_rule {
  std::int64_t age_ms = 24 * 3'600'000;
  std::size_t most = 10'000;
};

/// What a record leaves behind.
inventory_item tombstone_of(const journal_record& record);

} // namespace poseidon
