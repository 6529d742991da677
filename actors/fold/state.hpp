#pragma once
// The folded state (docs/ownership.md): what every replica holds, the same everywhere at the same position.

#include "actors/fold/queue.hpp"
#include "actors/fold/tables.hpp"
#include "actors/fold/version.hpp"
#include "messages/state.hpp"

#include <map>
#include <set>

namespace poseidon {

/// A node, and its load as the last start or move told it.
struct fold_node {
  std::shared_ptr<node_row> row;
  std::uint32_t cpu_permille = 0, memory_permille = 0;
};

/// The copy of an instance that lost its licence, and may still be there.
struct withdrawn_copy {
  node_name node;
  reserve_spec reserve;
};
POSEIDON_FIELDS(withdrawn_copy, node, reserve)
using withdrawn_key = std::pair<instance_id, struct epoch>;

struct ledger_state {
  struct position at;           ///< of the last entry folded
  struct position inherited;    ///< where the state stood that the present incarnation began with
  std::uint64_t opened_at = 0;  ///< sequence of the present incarnation's entry
  std::uint32_t fold_version = 1; ///< of the rules in force
  std::uint32_t newest = newest_fold_version; ///< that whoever folds this can fold; no part of what is folded
  seen_entries recent;
  instance_table instances;
  std::map<node_name, fold_node> nodes;
  std::map<challenge_id, std::shared_ptr<const challenge_row>> challenges;
  spec_store specs;
  key_table bound_keys;
  fair_queue queue;
  std::uint32_t waiting = 0;    ///< queued, in a lane or behind an end
  std::map<withdrawn_key, withdrawn_copy> withdrawn;
  std::unordered_map<row_number, struct epoch> withdrawn_epochs; ///< of queued rows that had an assignment before: the last
  std::set<node_name> awaited;  ///< the gate is closed until these have registered or are lost
  administration admin;
  // How much each scope holds; a slot counts once, also while somebody waits behind its end.
  owner_table owners;
  std::unordered_map<std::string, std::uint32_t> users; ///< kept only while limits.per_user is set
  std::unordered_map<challenge_id, std::uint32_t> by_challenge;
  std::uint32_t slots = 0;
  std::uint64_t cost = 0; ///< of all slots

  bool gate_open() const { return awaited.empty(); }
};

/// The highest epoch that this row ever had; empty: it never was assigned.
struct epoch last_epoch(const ledger_state& state, row_number n);
/// The row of an instance with its present place in the queue; null: unknown.
row_ptr find_row(const ledger_state& state, const instance_id& id);
/// Who holds the slot, or waits for it when its holder is to end; null: free.
row_ptr find_live_row(const ledger_state& state, const owner_key& owner, const std::string& challenge);
/// Everything, for a new reader: rows by id, nodes and challenges by name.
ledger_image_ptr image_of(const ledger_state& state);

} // namespace poseidon
