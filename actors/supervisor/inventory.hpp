#pragma once
// What a node says that it holds, and the records of what it begins or takes over. Pure.

#include "messages/commands.hpp"

#include <functional>
#include <map>
#include <set>

namespace poseidon {

/// A container group as the engine holds it, by its labels.
struct labelled_group {
  group_key key;
  bool running = false;
  std::optional<wall_time> expires_max;
  std::vector<port_spec> ports;
};

/// The groups among the objects that carry this cluster's and node's labels; what can't be read is left out.
std::vector<labelled_group> groups_of(const std::vector<runtime_object>& objects, const std::string& cluster, const node_name& node);

/// What only the node can add to a row.
struct record_extras {
  run_id run;
  std::string url;
  secret flag;
};
/// The record of an assignment that is about to begin; the deadline that a move kept is in it.
journal_record record_of_assignment(const instance_row& row, record_extras extras);
/// The record of a copy that runs although the journal has lost it: rebuilt from the ledger's row and the engine.
journal_record record_of_lost(const instance_row& row, const labelled_group& group, record_extras extras);

/// The record of a copy that has no licence and that the journal does not know: taken over to be removed.
journal_record record_of_unlicensed(const instance_row& row, const labelled_group& group, const run_id& run);

/// What becomes of a group that the journal does not know.
enum class lost_group : std::uint8_t {
  unknown,    ///< the ledger does not know it either: only reported
  licensed,   ///< the ledger has it here: taken over
  unlicensed, ///< it has ended, or moved on: taken over to be removed
};
lost_group judge_lost(const instance_row* row, const labelled_group& group, const node_name& node);

/// Everything that an inventory is made of.
struct inventory_sources {
  const journal_contents* journal = nullptr;
  std::vector<labelled_group> groups;
  std::map<group_key, row_ptr> begun;      ///< assignments of this run that may not be in the journal yet
  std::set<instance_id> known;             ///< instances that the replica knows
  std::function<sealed_secret(const secret&, const instance_id&)> seal; ///< for what the replica does not know
};
/// Complete, each (instance, epoch) once: journal, tombstones, begun ones, and what the engine alone knows.
std::vector<inventory_item> make_inventory(const inventory_sources& from);

} // namespace poseidon
