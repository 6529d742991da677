#pragma once
// What the ledger has to be told about challenge folders. Pure.

#include "config/challenge_folders.hpp"
#include "messages/commands.hpp"

namespace poseidon {

/// A difference between folders and ledger.
struct catalogue_diff {
  std::vector<const config::challenge*> put;  ///< new ones and new revisions; point into the listing
  std::vector<challenge_id> drop;             ///< in the ledger, and no folder has them any more
};

/// Nothing is dropped while a folder can't be read: its challenge may be the one, and keeps its last good revision.
catalogue_diff compare_catalogue(const config::challenge_listing& listing, const std::vector<std::shared_ptr<const challenge_row>>& rows);

/// The listing as administrators see it.
catalogue_report report_of(const config::challenge_listing& listing);

} // namespace poseidon
