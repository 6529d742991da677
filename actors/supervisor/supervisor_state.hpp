#pragma once
// The supervisor's state and work, shared by its own files only.

#include "actors/kit/ask.hpp"
#include "actors/kit/children.hpp"
#include "actors/supervisor/assignment.hpp"
#include "actors/supervisor/inventory.hpp"
#include "actors/supervisor/supervisor.hpp"

#include <set>
#include <unordered_map>

namespace poseidon {

/// One instance that this node has an actor for, or will have again in a moment.
struct held_instance {
  struct epoch epoch;
  instance_actor actor;              ///< null between a crash and the next start
  std::vector<boot_time> restarts;
  std::optional<boot_time> again_at; ///< when it starts again
  bool given_up = false;             ///< it keeps crashing: it is only made to end
  bool told_stop = false, told_fence = false;
};

struct supervisor_state {
  supervisor_actor::pointer self;
  supervisor_deps deps;
  std::optional<children> kids;
  reaper_actor reaper;

  std::unordered_map<instance_id, held_instance> held;
  std::unordered_map<instance_id, epoch> last_held;      ///< of instances assigned to this node
  std::unordered_map<instance_id, row_ptr> rows;         ///< live ones assigned to this node
  std::unordered_map<instance_id, record_ptr> parked;    ///< a newer copy's record, until the older copy is gone
  std::unordered_map<instance_id, std::vector<row_ptr>> unbegun; ///< assignments that left again while an older copy was in the way
  std::unordered_map<instance_id, node_name> timed_by;   ///< by whose clock the deadline of an instance is, if not by ours; empty: nobody can tell
  std::shared_ptr<const journal_contents> journal;       ///< as loaded last
  struct position replica;
  bool has_image = false, adopted = false;
  std::optional<runtime_info> engine;
  failure engine_trouble{errc::engine_unavailable, "the engine has not answered yet", 500, {}, {}};
  bool engine_up = false;
  std::vector<std::string> images; ///< that the engine holds, as told last

  bool registered = false, registering = false, superseded = false;
  failure register_trouble;
  std::uint64_t registered_incarnation = 0;
  struct position told_at;             ///< where the registration under way was made; empty: its inventory is being taken
  bool answered = false;               ///< it is folded
  std::set<group_key> told_alive;      ///< what the inventory under way says to be here
  std::set<group_key> ended_meanwhile; ///< whose end here was folded since it was begun
  bool told_stale = false;             ///< some of one is in the other: another inventory follows
  node_mode mode = node_mode::ready; ///< as the ledger has it
  struct position drain_mark;        ///< the entry that began the drain whose limit is counted; empty: none is
  std::optional<boot_time> drain_ends;
  bool evicting = false;             ///< that limit has passed
  bool was_registered = false;
  millis retry{0};

  // Whether others may have moved on without this node (contact.cpp).
  bool behind = false;                  ///< it was away for too long, and has not registered anew since
  std::uint64_t absences = 0;           ///< how often that was so
  bool counted = false;                 ///< the replica has this run as a live node
  std::optional<boot_time> ticked;      ///< it ran then
  std::optional<boot_time> log_lost_at; ///< the log is away since

  bool shutting_down = false, ending = false;
  std::optional<caf::typed_response_promise<outcome<done>>> shutdown_promise;
  std::map<std::uint64_t, boot_time> armed;

  explicit supervisor_state(supervisor_actor::pointer me) : self(me) {}

  // supervisor.cpp: commands, time, shutdown
  void start(supervisor_deps given);
  void on_timer(const timer_due& due);
  void arm(std::uint64_t token, boot_time due);
  void on_engine(const engine_changed& change);
  node_status status() const;
  failure not_held(const instance_id& instance) const;
  caf::result<outcome<extended>> on_extend(const extend_instance& request);
  caf::result<outcome<done>> on_get(const get_instance& request);
  caf::result<outcome<log_text>> on_logs(const read_logs& request);
  caf::result<outcome<garbage_report>> on_garbage(const collect_garbage& request);
  caf::result<outcome<done>> on_shut_down(const shut_down& request);
  void end_children();
  /// The actor that answers for an instance; null: nobody does.
  instance_actor actor_of(const instance_id& instance) const;
  template <class Reply, class Message>
  caf::result<outcome<Reply>> forward(const Message& message) {
    if (out_of_touch()) return outcome<Reply>{catching_up()};
    auto actor = actor_of(message.instance);
    if (!actor) return outcome<Reply>{not_held(message.instance)};
    return self->delegate(actor, message);
  }

  // drain.cpp
  void see_mode(const node_row& row);
  void drain_due();
  void evict(const instance_id& instance, held_instance& child);

  // images.cpp
  void look_at_images();

  // registration.cpp: journal, ledger, engine, node_up
  void load_journal();
  void subscribe();
  void take_image(const ledger_image& image);
  void on_changes(const ledger_changes& changes);
  void see_node(const node_row& row);
  void adopt_all();
  void look_at_engine();
  void register_node();
  void gather_inventory(std::vector<labelled_group> groups);
  void append_node_up(const ledger_image& image, std::vector<labelled_group> groups);
  void register_failed(failure why);
  void note_end(const ledger_change& change);
  bool is_registration(const ledger_change& change) const;
  bool inventory_is_stale() const;
  node_licence licence() const { return {deps.node, deps.run, registered && !behind && !superseded && !shutting_down, replica.incarnation}; }

  // contact.cpp: pauses, and the log lost
  void watch_contact();
  void see_log(bool connected);
  bool out_of_touch();
  void fall_behind();
  void caught_up(std::uint64_t absence);
  void now_registered();
  void judge_held();
  failure catching_up() const;
  std::optional<failure> may_not_extend();

  // instances.cpp: children
  void see_row(const row_ptr& row);
  void note_leaving(const instance_row& now);
  bool give_back(const instance_id& instance);
  void evaluate(const instance_id& instance, const instance_row& row);
  void evaluate_all();
  void launch(const instance_row& row);
  void end_unborn(const instance_row& row, const duty& what);
  void adopt(const record_ptr& record);
  bool take_lost(const row_ptr& row, const labelled_group& group);
  void spawn(const instance_seed& seed);
  void child_ended(const instance_id& instance, const epoch& at, const caf::error& reason);
  void crashed(held_instance& child, const instance_id& instance, const caf::error& reason);
  void revive_due();
  void revive(const journal_contents& contents, const std::vector<instance_id>& due);
  void arm_revival();
  void note_clock(const ledger_change& change);
  void infer_clock(const instance_row& row);
  bool said_here(const instance_row& row) const;
  std::optional<wall_time> deadline_here(const instance_row& row) const;
  record_extras extras_of(const instance_row& row, failure& trouble) const;
};

inline constexpr const char* drained_by = "drain"; ///< who stops what a drain's limit ends

namespace supervisor_token {
inline constexpr std::uint64_t children = 1, revival = 2, registration = 3, stopping = 4, engine = 5, subscription = 6, journal = 7,
                               drain = 8, images = 9, contact = 10, held = 11;
}

} // namespace poseidon
