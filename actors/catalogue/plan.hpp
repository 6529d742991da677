#pragma once
// What has to be appended so that the ledger's challenges are those of the folders. Pure.

#include "config/challenge_folders.hpp"
#include "messages/commands.hpp"

#include <map>

namespace poseidon {

/// One challenge as the ledger has it.
struct known_challenge {
  std::string revision;
};

struct catalogue_plan {
  std::vector<config::challenge> put;     ///< new, or of another revision
  std::vector<challenge_id> drop;         ///< their folder is gone
  std::vector<challenge_problem> problems; ///< broken folders; their challenges keep the last good revision
};

/// Which challenge a folder held when it was last read well: folder -> id.
using folder_ids = std::map<std::string, challenge_id>;

/// Compares. Nothing is dropped while the directory itself can't be read, or while a broken folder may be the one that a
/// missing challenge came from.
catalogue_plan plan_catalogue(const config::challenge_listing& listing, const std::map<challenge_id, known_challenge>& ledger,
                              const folder_ids& before);

/// The memory for the next comparison: what is read well now, and of broken folders what they were.
folder_ids remember_ids(const config::challenge_listing& listing, const folder_ids& before);

/// True when both hold the same folders with the same texts.
bool same_texts(const config::challenge_listing& a, const config::challenge_listing& b);

} // namespace poseidon
