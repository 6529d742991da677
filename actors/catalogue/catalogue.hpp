#pragma once
// The catalogue: reads challenge folders again and again, and appends what changed to the ledger.

#include "actors/interfaces.hpp"
#include "config/challenge_folders.hpp"

namespace poseidon {

/// Reads the folders, given what was read before (may be null). Called on a thread of its own, one call at a time; may block.
using read_folders = std::function<config::challenge_listing(const config::challenge_listing* before)>;

struct catalogue_deps {
  ledger_actor ledger;
  timers_actor timers;
  std::shared_ptr<const poseidon::clock> clock;
  read_folders read;
  std::function<outcome<sealed_secret>(const secret&, const challenge_id&)> seal; ///< flags and solutions
  millis period{2'000};          ///< between two readings
  millis compare_every{30'000};  ///< the ledger is compared anew even when no folder changed
  millis read_limit{60'000};     ///< of one reading
  millis ledger_timeout{10'000};
};

/// Reads at once, then every `period`; rescan_challenges reads now and answers when the ledger has what was found. A broken folder
/// keeps its last good revision; the problem is logged once and reported.
catalogue_actor spawn_catalogue(caf::actor_system& system, catalogue_deps deps);

} // namespace poseidon
