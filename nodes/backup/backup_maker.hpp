#pragma once
// The actor that makes a backup of this process: asks the ledger for a snapshot, the journal for DATA's identity, and reads
// the files of DATA that a new machine needs.

#include "actors/ledger/ledger.hpp"
#include "gateway/backup_source.hpp"
#include "nodes/backup/backup_file.hpp"

namespace poseidon {

struct backup_deps {
  snapshot_source ledger;
  journal_actor journal; ///< null: this process runs no node
  std::shared_ptr<const poseidon::clock> clock;
  std::string data;      ///< the folder
  std::string version, cluster, node;
  std::string settings;  ///< text of the settings file; empty: none
  millis snapshot_timeout{120'000};
};

/// Where a backup has the settings file that the process was started with.
inline constexpr const char* kept_settings = "poseidon.yml";

/// On a thread of its own: it reads files.
gateway::backup_source spawn_backup_maker(caf::actor_system& system, backup_deps deps);

} // namespace poseidon
