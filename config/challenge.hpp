#pragma once
// Challenges: what an author wrote (challenge.yml, or an inline spec from the API) to a resolved spec, or every problem
// at once.

#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "messages/ids.hpp"
#include "messages/secret.hpp"
#include "messages/spec.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace poseidon::config {

/// What a challenge gets that it does not say itself.
struct challenge_defaults {
  default_settings values;
  bool capture_logs = false;
};
/// From the settings of the process.
challenge_defaults defaults_of(const settings& values);

/// One challenge, read and resolved.
struct challenge {
  challenge_id id;
  std::string revision; ///< "sha256:<hex>" over spec, metadata and confidential
  spec_digest spec_id;
  spec_ptr spec;
  std::string metadata; ///< JSON text: every key outside `instance:` but the confidential ones, as written
  secret confidential;  ///< JSON text of flags and solutions; "{}" when there are none
};

/// Reads challenge.yml. Keys outside `instance:` are kept as they are; inside it everything is checked. The id is
/// `instance.id`, else the slug of the folder's name. Failure: invalid_field with every problem and its path.
outcome<challenge> parse_challenge(std::string_view yaml, std::string_view folder_name,
                                   const challenge_defaults& defaults);

/// Resolves the `spec` of a start: the mapping `instance:` of a challenge with an `image` in it, or {image, instance}.
/// Failure: invalid_field, the paths beginning with `root`.
outcome<spec_ptr> parse_inline_spec(const nlohmann::json& spec, const challenge_defaults& defaults,
                                    std::string_view root = "spec");

/// The folder's name as an id: lower case, everything else a dash. Empty when nothing is left.
std::string slug_of(std::string_view folder_name);

/// The published JSON Schema (draft 7) of challenge.yml; the same text as config/challenge.schema.json.
std::string challenge_schema_text();
/// Judges a document by that schema alone: the problems that it finds.
std::vector<field_problem> schema_problems(const nlohmann::json& document);

/// What a challenge.yml may say below `instance:`, as a table in Markdown; docs/challenges.md holds it.
std::string challenge_reference();

} // namespace poseidon::config
