#pragma once
// Keeps what this process was configured with in the ledger: the administrator's key and the limits. Compares at the
// start and after each change of administration, so a restored or edited ledger is set right as well. And applies what the
// ledger changed of the settings that belong to the process itself.

#include "actors/interfaces.hpp"

#include <optional>

namespace poseidon {

/// The difference between a ledger's administration and what it should hold.
struct keeper_deps {
  ledger_actor ledger;
  std::optional<put_key_entry> admin_key; ///< without one (no gateway in this process) nothing is appended
  /// Limits in force, from the process's settings and the ledger's changes to them (name -> JSON text).
  std::function<limit_table(const std::map<std::string, std::string>&)> limits;
  /// Told those changes at the start and whenever administration changed; thread-safe.
  std::function<void(const std::map<std::string, std::string>&)> apply;
  /// Where this process is all there is: its node. Others that the ledger knows are of a restored backup or of an earlier
  /// name, and nobody else would say that they are lost.
  std::optional<node_name> sole_node;
  std::shared_ptr<const poseidon::clock> clock;
  millis append_timeout{10'000};
  millis image_timeout{60'000}; ///< of one request for the ledger's image; repeated for as long as it takes
};

using keeper_actor = ledger_subscriber;

/// Entries that make `admin` right. Pure.
std::vector<entry_body> administration_to_append(const administration& admin, const put_key_entry& admin_key, const limit_table& limits);

/// Entries that end what no process will ever answer for. Pure.
std::vector<entry_body> nodes_to_give_up(const ledger_image& image, const node_name& sole, wall_time now);

keeper_actor spawn_administration_keeper(caf::actor_system& system, keeper_deps deps);

} // namespace poseidon
