#pragma once
// What the rules are written with: one entry being folded, and the few moves that keep slots, reservations, queue and
// tallies right together. Only the files of this folder use it.

#include "actors/fold/placement.hpp"
#include "actors/fold/state.hpp"

namespace poseidon::folding {

/// One entry on its way through the rules.
struct step {
  ledger_state& state;
  const placed_entry& entry;
  ledger_change& change;
  std::vector<row_number> touched{};
  std::vector<fold_node*> touched_nodes{};
  bool released = false; ///< something came free: serve the queue at the end

  struct epoch new_epoch() const { return {entry.at.incarnation, entry.at.sequence, entry.what->id}; }
};

// --- verdicts -------------------------------------------------------------------------------------------------------
verdict accept(const instance_id& id = {});
verdict refuse(errc code, std::string detail, std::optional<std::int64_t> retry_after_ms = {});
verdict no_effect(errc code, std::string detail, const instance_id& id = {});

// --- rows -----------------------------------------------------------------------------------------------------------
/// The row, for change; it will be told to subscribers.
fold_row& edit(step& st, row_number n);
/// The node's row, for change; it will be told to subscribers.
node_row& edit(step& st, fold_node& node);
fold_node* find_node(step& st, const node_name& name);

// --- slots and limits -----------------------------------------------------------------------------------------------
/// Counts the slot that this row holds (and whoever waits behind it) into every scope, or out of it (`sign` -1).
void count_slot(ledger_state& state, row_number holder, int sign);
/// Counts every user anew (limits changed, or a snapshot was read).
void recount_users(ledger_state& state);
/// The scope that refuses one more slot, or (with `behind`) one more behind the end of that slot's holder; nothing: admitted.
std::optional<failure> over_limit(const ledger_state& state, const fold_row& row, row_number behind);

// --- ownership ------------------------------------------------------------------------------------------------------
/// Gives an instance that has no node to this one: new epoch, reservation.
void assign(step& st, row_number n, fold_node& node);
/// The node's capacity is held for this, whether there is room or not (what exists, exists).
void reserve(step& st, fold_node& node, const reserve_spec& need);
void release(step& st, const node_name& node, const reserve_spec& need);
/// Takes the licence back and queues it again. `keep`: its copy may exist, and stays reserved until the node says otherwise.
void withdraw(step& st, row_number n, bool keep);
/// Its node gave the present copy up for a later assignment, which went with the end of a torn log: it is assigned anew.
void give_up_copy(step& st, row_number n);
/// True for an epoch that this row has or had; those of earlier incarnations may have been forgotten.
bool is_or_was_copy(const ledger_state& state, row_number n, const struct epoch& epoch);
/// Remembers a copy that must not be, on the node that has it.
void keep_withdrawn(step& st, const instance_id& id, const struct epoch& epoch, fold_node& node, const reserve_spec& need);
/// The copy is gone. False when none was kept.
bool drop_withdrawn(step& st, const instance_id& id, const struct epoch& epoch);
void enqueue(step& st, row_number n);
/// Takes it out of the queue; `served`: it got its turn.
void dequeue(step& st, row_number n, bool served);

struct ending {
  end_reason reason = end_reason::stopped;
  failure_ptr why{};
  std::string by{};
  std::optional<wall_time> at{}; ///< nothing: the entry's
};
/// The instance has ended: slot and reservation are free, whoever waited behind it holds the slot.
void end_instance(step& st, row_number n, ending how);
/// Sets the stop mark of a live one; what is queued ends at once.
void mark_stopped(step& st, row_number n, end_reason reason, const std::string& by);
/// True for the reasons that mean the instance, and not just the copy that ended.
bool means_instance(end_reason reason);
/// True when the end of another copy than the present one means the instance (rule 3). That an older copy has expired does not
/// when a newer one has a deadline: its node judges that one, which may have been moved, and told to the user.
bool speaks_for_instance(const ledger_state& state, row_number n, const struct epoch& copy, end_reason reason);

// --- placement ------------------------------------------------------------------------------------------------------
/// Ready nodes of this incarnation, without those that refused the row. `images`: those known to have what is to start.
std::vector<placement_node> ready_nodes(const ledger_state& state, const std::vector<node_name>& excluded,
                                        const std::vector<node_name>& images = {});
/// The nodes that have this instance's images, as far as the entry says; none: it does not.
std::vector<node_name> images_there(const step& st, const instance_id& id);
placement_node as_candidate(const fold_node& node, const std::vector<node_name>& images);
/// True when a node that is not lost and not excluded has the labels, and could hold it if it were empty.
bool could_ever_fit(const ledger_state& state, const instance_spec& want, const std::vector<node_name>& excluded);
/// Why none could: "no node is large enough: …", "no node has the labels that it requires: …".
std::string never_fits(const ledger_state& state, const instance_spec& want);
/// Tells subscribers why this node was chosen for this row; before it is reserved there.
void tell_decision(step& st, const fold_row& row, const node_row& chosen);
/// A reset asks for no choice.
void tell_stay(step& st, const fold_row& row);
bool any_live_node(const ledger_state& state);
void note_loads(ledger_state& state, const std::vector<load_hint>& loads);
/// Assigns from the queue as long as something fits, in the order of turns. An item that has to wait holds its place on
/// every node that could take it, so that smaller ones behind it can't starve it.
void serve_queue(step& st);

// --- the rules, one a kind of entry ---------------------------------------------------------------------------------
verdict judge(step& st, const start_entry& e);
verdict judge(step& st, const cancel_entry& e);
verdict judge(step& st, const move_entry& e);
verdict judge(step& st, const node_lost_entry& e);
verdict judge(step& st, const node_up_entry& e);
verdict judge(step& st, const refused_entry& e);
verdict judge(step& st, const running_entry& e);
verdict judge(step& st, const deadline_moved_entry& e);
verdict judge(step& st, const restarted_entry& e);
verdict judge(step& st, const stopping_entry& e);
verdict judge(step& st, const ended_entry& e);
verdict judge(step& st, const put_key_entry& e);
verdict judge(step& st, const drop_key_entry& e);
verdict judge(step& st, const put_setting_entry& e);
verdict judge(step& st, const put_limits_entry& e);
verdict judge(step& st, const put_challenge_entry& e);
verdict judge(step& st, const drop_challenge_entry& e);
verdict judge(step& st, const enable_challenge_entry& e);
verdict judge(step& st, const set_node_mode_entry& e);
verdict judge(step& st, const set_pause_entry& e);
verdict judge(step& st, const compact_entry& e);
verdict judge(step& st, const incarnation_entry& e);
verdict judge(step& st, const activate_entry& e);
verdict judge(step& st, const expiring_entry& e);

} // namespace poseidon::folding
