#pragma once
// The catalogue: keeps the ledger's challenges as the folders have them.

#include "actors/interfaces.hpp"
#include "config/challenge_folders.hpp"

namespace poseidon {

/// Reads the folders, given what was read before (may be null). Called on a thread of its own, one call at a time; may block.
using read_folders = std::function<config::challenge_listing(const config::challenge_listing* before)>;

using listing_ptr = std::shared_ptr<const config::challenge_listing>;
/// Read the folders; those whose text is as in `before` are not parsed again.
struct folders_wanted {
  using poseidon_message = void;
  listing_ptr before;
};
/// Whoever reads folders: it may block, and has a thread of its own.
using folder_reader_actor = caf::typed_actor<replies_to<folders_wanted>::with<listing_ptr>>;
folder_reader_actor spawn_folder_reader(caf::actor_system& system, read_folders read);

struct catalogue_deps {
  ledger_actor ledger;
  timers_actor timers;
  std::shared_ptr<const poseidon::clock> clock;
  read_folders read;                        ///< the catalogue spawns its reader from it
  std::function<outcome<sealed_secret>(const secret&, const challenge_id&)> seal; ///< flags and solutions; quick
  millis period{2'000};                     ///< between two looks at the folders
  millis read_limit{60'000};
  millis ledger_timeout{10'000};
  folder_reader_actor reader;               ///< in place of `read`, for whoever has one
};

/// Looks at once, then every `period`, and on rescan_challenges, which is answered after a look of its own. What could
/// not be appended is tried again with the next look.
catalogue_actor spawn_catalogue(caf::actor_system& system, catalogue_deps deps);

} // namespace poseidon
