#pragma once
// Who this process is: what DATA, kernel and settings say, read once at the start.

#include "config/settings.hpp"
#include "gateway/render.hpp"
#include "messages/digest.hpp"
#include "messages/journal.hpp"

namespace poseidon {

/// Immutable once made; shared by everything in the process.
struct identity {
  node_name node;
  run_id run;
  machine_id machine;
  std::string boot_id;
  secret cluster_key;     ///< 32 bytes: seals flags, derives host names, signs watch URLs
  secret admin_key;       ///< the administrator's API key, as clients send it
  std::string host_pattern; ///< "{label}.localhost"
  gateway::url_rules urls;

  /// The instance's host name, for ever.
  std::string host_of(const instance_id& instance) const;
  outcome<sealed_secret> seal_for(const secret& plain, const std::string& context) const;
  outcome<secret> open_for(const sealed_secret& sealed, const std::string& context) const;
};
using identity_ptr = std::shared_ptr<const identity>;

/// Reads or makes the secrets in DATA. Errors: as read_or_make_secret; invalid_field when a file holds no usable key.
outcome<identity> read_identity(const config::settings& settings, wall_time now);

} // namespace poseidon
