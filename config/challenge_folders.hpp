#pragma once
// Finding challenge folders on disk.

#include "config/challenge.hpp"

#include <map>
#include <optional>

namespace poseidon::config {

/// One folder with a challenge.yml.
struct challenge_folder {
  std::string folder;             ///< relative to the directory; "." for the directory itself
  std::optional<challenge> value; ///< nothing: see problems, or nothing to run
  std::vector<field_problem> problems;
  bool nothing_to_run = false; ///< neither image nor instance: a static challenge, left to the platform
  std::string text_digest;     ///< "sha256:<hex>" of the file's bytes
};

/// What a directory holds, sorted by folder.
struct challenge_listing {
  std::vector<challenge_folder> folders;
  std::vector<field_problem> problems; ///< of the directory itself
};

/// Reads every folder below `dir` that has a challenge.yml (or .yaml). Links to folders are not followed; names that
/// begin with a dot are passed over. An id that several folders claim is a problem of each of them, and none has a
/// value. A folder whose text is unchanged since `before` is not parsed again.
challenge_listing read_challenges(const std::string& dir, const challenge_defaults& defaults,
                                  const challenge_listing* before = nullptr);

} // namespace poseidon::config
