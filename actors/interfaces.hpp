#pragma once
// Every typed actor interface in one place: roles know each other by these alone.

#include "actors/caf.hpp"

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

/// The engine, whichever it is. Progress and exits go to the group's watcher.
using runtime_actor =
    caf::typed_actor<replies_to<ensure_group>::with<outcome<group_state>>, replies_to<start_group_again>::with<outcome<group_state>>,
                     replies_to<stop_group>::with<outcome<done>>, replies_to<remove_group>::with<outcome<done>>,
                     replies_to<inspect_group>::with<outcome<group_state>>, replies_to<read_group_logs>::with<outcome<log_text>>,
                     replies_to<read_group_stats>::with<outcome<group_stats>>, replies_to<refresh_group_file>::with<outcome<done>>,
                     replies_to<list_objects>::with<outcome<object_list>>, replies_to<remove_object>::with<outcome<done>>,
                     replies_to<get_runtime_info>::with<outcome<runtime_info>>, reacts_to<watch_group>, reacts_to<unwatch_group>,
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
                                          reacts_to<fence_instance>, reacts_to<engine_changed>>;

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

/// A node process's root: turns assignments into instances, forwards commands to them, answers unknown_instance for what
/// it does not hold.
using supervisor_actor =
    ledger_subscriber::extend<reacts_to<timer_due>, reacts_to<engine_changed>, replies_to<stop_instance>::with<outcome<done>>,
                              replies_to<extend_instance>::with<outcome<extended>>, replies_to<read_logs>::with<outcome<log_text>>,
                              replies_to<read_stats>::with<outcome<group_stats>>, replies_to<get_node_status>::with<node_status>,
                              replies_to<collect_garbage>::with<outcome<garbage_report>>, replies_to<get_instance>::with<outcome<done>>,
                              replies_to<shut_down>::with<outcome<done>>>;

/// What exists in the engine, is ours, and belongs to no live instance.
using reaper_actor = caf::typed_actor<reacts_to<timer_due>, reacts_to<engine_changed>, replies_to<collect_garbage>::with<outcome<garbage_report>>>;

/// A gateway process's mind: makes starts, answers when the fold has judged them, sends commands to nodes.
using scheduler_actor =
    ledger_subscriber::extend<replies_to<start_instance>::with<outcome<started>>, replies_to<stop_instance>::with<outcome<row_ptr>>,
                              replies_to<extend_instance>::with<outcome<row_ptr>>, replies_to<reset_instance>::with<outcome<row_ptr>>,
                              replies_to<read_logs>::with<outcome<log_text>>, replies_to<read_stats>::with<outcome<group_stats>>,
                              replies_to<collect_garbage>::with<outcome<garbage_report>>, replies_to<append_entry>::with<outcome<folded>>,
                              reacts_to<timer_due>>;

/// Reads challenge folders, appends their revisions.
using catalogue_actor = caf::typed_actor<reacts_to<timer_due>, replies_to<rescan_challenges>::with<outcome<catalogue_report>>>;

} // namespace poseidon
