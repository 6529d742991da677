#pragma once
// The reaper: compares what the engine holds with what lives, and removes what belongs to nothing.

#include "actors/interfaces.hpp"

namespace poseidon {

struct reaper_deps {
  std::string cluster;
  node_name node;
  std::shared_ptr<const poseidon::clock> clock;
  ledger_actor ledger;
  journal_actor journal;
  runtime_actor runtime;
  timers_actor timers;
  millis period{60'000};        ///< between two runs
  millis first_run{2'000};      ///< after the start
  millis safety_window{60'000}; ///< objects younger than this are left alone
  millis list_timeout{35'000};  ///< of the engine's list and of one removal
  millis ask_timeout{10'000};   ///< of journal and ledger
};

/// Runs after `first_run`, every `period`, when the engine comes back, and on collect_garbage (a dry run only lists). One
/// run at a time; a request that comes during one waits for a run of its own. Fails with what the engine, the journal or
/// the ledger answered, having removed nothing; an object that could not be removed is listed under `kept`.
reaper_actor spawn_reaper(caf::actor_system& system, reaper_deps deps);

} // namespace poseidon
