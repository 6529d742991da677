#pragma once
// A journal in memory, for actor tests and the simulation: what is committed outlives the actor, what is not is lost.

#include "actors/journal/journal_store.hpp"

namespace poseidon {

/// The disk. Outlives its journal; touched only between the scheduler's steps or by the journal itself.
struct memory_journal_disk {
  data_id data{1, 1};
  std::map<group_key, record_ptr> records;
  std::map<std::uint64_t, waiting_fact> facts;
  std::vector<inventory_item> tombstones;
  std::map<group_key, std::string> unreadable; ///< of these records only the problem is told
  bool full = false;   ///< commits fail with no_space
  bool hold = false;   ///< commits wait until a journal_sync comes after it was cleared; a crash before loses them
};

std::unique_ptr<journal_store> open_memory_journal(std::shared_ptr<memory_journal_disk> disk, tombstone_rule tombstones = {});

} // namespace poseidon
