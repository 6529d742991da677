#pragma once
// The node's journal (interfaces.hpp, journal_actor): durable records of its instances, and the outbox of facts that the
// ledger has not folded yet.

#include "actors/journal/journal_store.hpp"

namespace poseidon {

struct journal_deps {
  timers_actor timers;
  const clock* time = nullptr;
  ledger_actor ledger;                 ///< may be attached later (attach_ledger)
  std::size_t most_on_their_way = 1024; ///< facts handed to the ledger and not answered
  std::size_t most_waiting = 1'000'000; ///< facts in the outbox; a commit with more is refused (ledger_unavailable)
  millis append_timeout{10'000};
};

/// Spawns a journal on any store.
full_journal_actor spawn_journal(caf::actor_system& system, journal_deps deps, std::unique_ptr<journal_store> store);

struct sqlite_journal_options {
  std::string path;             ///< of the file
  std::size_t queue = 65'536;   ///< most commits that wait for the disk
  tombstone_rule tombstones;
};
/// Opens the journal's file. Refusals: see open_store.
outcome<std::unique_ptr<journal_store>> open_sqlite_journal(const sqlite_journal_options& options, const clock& time);

/// A new journal that holds nothing, of a DATA that has this identity already. Refusals: see open_store.
failure make_sqlite_journal(const std::string& path, const data_id& data);

/// Holds DATA for this process: a second one is refused (conflict) as long as this lives. The file names the holder's pid.
class data_lock {
public:
  /// Locks `<folder>/lock`.
  static outcome<std::shared_ptr<data_lock>> take(const std::string& folder);
  ~data_lock();
  data_lock(const data_lock&) = delete;
  data_lock& operator=(const data_lock&) = delete;

private:
  explicit data_lock(int fd) : fd_(fd) {}
  int fd_;
};

} // namespace poseidon
