#pragma once
// Every typed actor interface in one place: roles know each other by these alone.

#include "actors/caf.hpp"
#include "messages/notifications.hpp"

#include <functional>

namespace poseidon {

using caf::reacts_to;
using caf::replies_to;

/// Whoever armed a timer.
using timer_sink = caf::typed_actor<reacts_to<timer_due>>;

/// Set or move the timer (sink, token); one message comes at or after `due`, unless disarmed before.
struct arm_timer {
  using poseidon_message = void;
  timer_sink sink;
  std::uint64_t token = 0;
  boot_time due;
};
struct disarm_timer {
  using poseidon_message = void;
  timer_sink sink;
  std::uint64_t token = 0;
};
/// Drop all timers of a sink that is about to end.
struct disarm_all {
  using poseidon_message = void;
  timer_sink sink;
};
/// The one timer wheel of the process. Ticked by a driver (a thread, or the simulator) with `timer_tick`.
struct timer_tick {
  using poseidon_message = void;
  boot_time now;
};
using timers_actor = caf::typed_actor<reacts_to<arm_timer>, reacts_to<disarm_timer>, reacts_to<disarm_all>, reacts_to<timer_tick>>;

// --- log port: SQLite, JetStream, or memory; actors/log/ -------------------------------------------------------------

/// An entry where the log keeps it. The log counts in sequences, from 1 and without gaps; which incarnation one belongs to
/// is for the fold to say (position.incarnation).
struct logged_entry {
  using poseidon_message = void;
  std::uint64_t sequence = 0;
  wall_time logged_at;                    ///< the log's own timestamp
  entry_ptr what;                         ///< null when the stored bytes could not be read:
  std::shared_ptr<const failure> problem; ///< bad_request: damaged, pass over it; conflict: written by a newer Poseidon, stop
};
/// The next entries for one follower, in order, without a gap to what it was sent before.
struct log_batch {
  using poseidon_message = void;
  std::shared_ptr<const std::vector<logged_entry>> entries;
  std::uint64_t last = 0; ///< the log's last sequence when this was sent: caught up when it is the batch's own last
};
/// This append was not acknowledged. ledger_unavailable: it is not in the log and never will be. unknown_outcome: it may
/// be there or come later; following the log tells.
struct log_append_failed {
  using poseidon_message = void;
  entry_id entry;
  failure why;
};
/// The log was lost (false) or came back (true; also when its leader changed). On `true` delivery stands still until the
/// follower has compared the entry at its own position and follows anew (LEDGER.md rule 9).
struct log_connection {
  using poseidon_message = void;
  bool connected = false;
};
/// Whoever follows the log: the ledger actor.
using log_sink = caf::typed_actor<reacts_to<log_batch>, reacts_to<log_append_failed>, reacts_to<log_connection>>;

/// Append these in their order, unconditionally. An append is acknowledged by its delivery to the followers; failures go
/// to `from` by entry id.
struct append_to_log {
  using poseidon_message = void;
  log_sink from;
  std::vector<entry_ptr> entries;
};
/// Where the log begins and ends. Empty: last = first - 1.
struct log_extent {
  using poseidon_message = void;
  std::string log; ///< identity, minted when the log was made: another one means that it was wiped
  std::uint64_t first = 1, last = 0;
};
/// Deliver every entry after this sequence, then every new one. Repeated by the same sink: delivery starts there instead.
/// Refused: `stale` when entries after `after` have been dropped already, `not_found` when the log ends before `after`.
struct follow_log {
  using poseidon_message = void;
  log_sink sink;
  std::uint64_t after = 0;
};
/// Sent by a follower once it has folded up to here: the log sends only a bounded number of entries ahead of it.
struct log_consumed {
  using poseidon_message = void;
  log_sink sink;
  std::uint64_t sequence = 0;
};
/// One entry; `not_found` when the log has none there.
struct read_log {
  using poseidon_message = void;
  std::uint64_t sequence = 0;
};
struct get_log_extent {
  using poseidon_message = void;
};
/// Drop the entries before this one: a snapshot stands for them. Answered when they are gone.
struct trim_log {
  using poseidon_message = void;
  std::uint64_t before = 0;
};
/// Appends unconditionally, delivers in order, judges nothing.
using log_actor = caf::typed_actor<reacts_to<append_to_log>, replies_to<follow_log>::with<outcome<log_extent>>, reacts_to<log_consumed>,
                                   replies_to<read_log>::with<outcome<logged_entry>>, replies_to<get_log_extent>::with<outcome<log_extent>>,
                                   replies_to<trim_log>::with<outcome<done>>>;

/// Told of every folded entry, in order.
using ledger_subscriber = caf::typed_actor<reacts_to<ledger_changes>>;
struct subscribe_ledger {
  using poseidon_message = void;
  ledger_subscriber sink;
};

/// This process's replica. subscribe_ledger answers with the image at one position; every later change follows.
using ledger_actor = caf::typed_actor<replies_to<append_entry>::with<outcome<folded>>,
                                      replies_to<subscribe_ledger>::with<ledger_image_ptr>,
                                      replies_to<get_image>::with<ledger_image_ptr>,
                                      replies_to<get_instance>::with<row_ptr>, // null: unknown
                                      replies_to<find_live>::with<row_ptr>,
                                      replies_to<get_ledger_status>::with<ledger_status>>;

/// What happened in (after, up_to], from this process's copy of the ledger.
struct read_history {
  using poseidon_message = void;
  struct position after, up_to;
};
/// The state at one position, and the changes that follow it.
struct history_part {
  ledger_image_ptr image;
  std::vector<ledger_change> changes;
};
/// In order. The first part begins at `after`; a further one where the log began anew.
struct ledger_history {
  using poseidon_message = void;
  std::vector<history_part> parts;
};
using ledger_history_ptr = std::shared_ptr<const ledger_history>;
/// Refused with `stale` when the copy no longer reaches back that far.
using history_actor = caf::typed_actor<replies_to<read_history>::with<outcome<ledger_history_ptr>>>;

/// Durable records of this node's instances, and the outbox of facts not yet folded.
using journal_actor = caf::typed_actor<replies_to<commit_record>::with<outcome<done>>, replies_to<forget_record>::with<outcome<done>>,
                                       replies_to<load_records>::with<outcome<std::shared_ptr<const journal_contents>>>,
                                       replies_to<flush_facts>::with<outcome<done>>>;

/// Whoever watches a group: the instance actor.
using group_watcher = caf::typed_actor<reacts_to<service_exited>, reacts_to<group_progress>>;
struct watch_group {
  using poseidon_message = void;
  group_key key;
  group_watcher watcher;
};
struct unwatch_group {
  using poseidon_message = void;
  group_key key;
};
using engine_watcher = caf::typed_actor<reacts_to<engine_changed>>;
struct watch_engine {
  using poseidon_message = void;
  engine_watcher watcher;
};

/// Whoever reads a stream.
using stream_sink = caf::typed_actor<reacts_to<stream_piece>, reacts_to<stream_end>>;
/// Where it comes from: one actor a stream. It ends after stream_end, after close_stream, with its reader, and after
/// 30 s without credit.
using stream_source = caf::typed_actor<reacts_to<stream_credit>, reacts_to<close_stream>>;
struct open_log_stream {
  using poseidon_message = void;
  read_log_stream what;
  stream_sink sink;
};
struct open_group_log_stream {
  using poseidon_message = void;
  group_key key;
  read_log_stream what;
  stream_sink sink;
};
struct stream_opened {
  using poseidon_message = void;
  stream_source source;
};

/// The engine, whichever it is. Progress and exits go to the group's watcher.
using runtime_actor =
    caf::typed_actor<replies_to<ensure_group>::with<outcome<group_state>>, replies_to<start_group_again>::with<outcome<group_state>>,
                     replies_to<stop_group>::with<outcome<done>>, replies_to<remove_group>::with<outcome<done>>,
                     replies_to<inspect_group>::with<outcome<group_state>>, replies_to<read_group_logs>::with<outcome<log_text>>,
                     replies_to<read_group_stats>::with<outcome<group_stats>>, replies_to<refresh_group_file>::with<outcome<done>>,
                     replies_to<list_objects>::with<outcome<object_list>>, replies_to<remove_object>::with<outcome<done>>,
                     replies_to<get_runtime_info>::with<outcome<runtime_info>>, replies_to<list_images>::with<outcome<image_list>>,
                     replies_to<open_group_log_stream>::with<outcome<stream_opened>>, reacts_to<watch_group>, reacts_to<unwatch_group>,
                     reacts_to<watch_engine>>;

/// Health checks through the same path that players take.
using probe_actor = caf::typed_actor<replies_to<probe_endpoint>::with<outcome<done>>>;

/// The route table of this process's edge.
using router_actor = caf::typed_actor<replies_to<put_route>::with<outcome<route_acked>>, replies_to<end_route>::with<outcome<route_acked>>,
                                      replies_to<announce_route>::with<outcome<route_acked>>>;

/// Live details for API readers; may be dropped.
using telemetry_actor = caf::typed_actor<reacts_to<instance_progress>, reacts_to<phase_timing>>;

/// One container instance: owns lifecycle, TTL timer, health, containers.
/// `fence`: a newer epoch exists, or the fold says it ended: remove the copy, route first.
struct fence_instance {
  using poseidon_message = void;
  end_reason reason = end_reason::fenced;
};
using instance_actor = timer_sink::extend<reacts_to<service_exited>, reacts_to<group_progress>,
                                          replies_to<stop_instance>::with<outcome<done>>, replies_to<extend_instance>::with<outcome<extended>>,
                                          replies_to<read_logs>::with<outcome<log_text>>, replies_to<read_stats>::with<outcome<group_stats>>,
                                          reacts_to<fence_instance>, reacts_to<engine_changed>,
                                          replies_to<open_log_stream>::with<outcome<stream_opened>>>;

/// What an instance actor is made from. A new one (`adopt` false) has a record in phase `assigned` that is in no journal
/// yet: the actor commits it before it asks the engine for anything. An adopted one's record is the journal's. A record
/// with a `reason` set is to end, whichever phase it names: what exists of it is removed, then `ended` is said; nothing is
/// created. The actor quits normally once its `ended` is folded and its record forgotten; any other end is a crash.
struct instance_seed {
  record_ptr record;
  bool adopt = false;
};
/// Makes instance actors; whoever builds the node gives it to the supervisor (roles do not know each other's headers).
using instance_factory = std::function<instance_actor(const instance_seed&)>;

/// A node as others speak to it, from its own process or another: answers unknown_instance for what it does not hold.
using node_actor = caf::typed_actor<replies_to<stop_instance>::with<outcome<done>>, replies_to<extend_instance>::with<outcome<extended>>,
                                    replies_to<read_logs>::with<outcome<log_text>>, replies_to<read_stats>::with<outcome<group_stats>>,
                                    replies_to<collect_garbage>::with<outcome<garbage_report>>, replies_to<get_instance>::with<outcome<done>>,
                                    replies_to<open_log_stream>::with<outcome<stream_opened>>>;

/// A node process's root: turns assignments into instances, forwards commands to them.
using supervisor_actor =
    node_actor::extend<reacts_to<ledger_changes>, reacts_to<timer_due>, reacts_to<engine_changed>,
                       replies_to<get_node_status>::with<node_status>, replies_to<shut_down>::with<outcome<done>>>;

/// What exists in the engine, is ours, and belongs to no live instance.
using reaper_actor = caf::typed_actor<reacts_to<timer_due>, reacts_to<engine_changed>, replies_to<collect_garbage>::with<outcome<garbage_report>>>;

/// A gateway process's mind: makes starts, answers when the fold has judged them, sends commands to nodes.
using scheduler_actor =
    ledger_subscriber::extend<replies_to<start_instance>::with<outcome<started>>, replies_to<stop_instance>::with<outcome<row_ptr>>,
                              replies_to<extend_instance>::with<outcome<row_ptr>>, replies_to<reset_instance>::with<outcome<row_ptr>>,
                              replies_to<read_logs>::with<outcome<log_text>>, replies_to<read_stats>::with<outcome<group_stats>>,
                              replies_to<collect_garbage>::with<outcome<garbage_report>>,
                              replies_to<move_instances>::with<outcome<moved_instances>>, replies_to<append_entry>::with<outcome<folded>>,
                              reacts_to<timer_due>, replies_to<open_log_stream>::with<outcome<stream_opened>>>;

/// Tells webhooks and Discord channels of events.
using notifier_actor = ledger_subscriber::extend<reacts_to<timer_due>, replies_to<list_dead_letters>::with<outcome<dead_letters>>,
                                                 replies_to<replay_dead_letters>::with<outcome<replayed_letters>>>;

/// Reads challenge folders, appends their revisions.
using catalogue_actor = caf::typed_actor<reacts_to<timer_due>, replies_to<rescan_challenges>::with<outcome<catalogue_report>>>;

} // namespace poseidon
