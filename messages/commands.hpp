#pragma once
// Requests between roles inside a process, and (later) over the bus. Replies are outcome<T> where failing is an answer.

#include "messages/journal.hpp"
#include "messages/route.hpp"
#include "messages/state.hpp"

namespace poseidon {

/// An answer without content.
struct done {
  friend bool operator==(const done&, const done&) = default;
};
POSEIDON_NO_FIELDS(done)

// --- ledger ---------------------------------------------------------------------------------------------------------

/// Append, and answer when the own replica has folded it.
struct append_entry {
  entry_body body;
};
POSEIDON_FIELDS(append_entry, body)

/// The judgement of an appended entry, read from the own replica.
struct folded {
  struct position at;
  struct verdict verdict;
  row_ptr row; ///< the instance it concerns, after it
};
POSEIDON_FIELDS(folded, at, verdict, row)

struct get_instance {
  instance_id instance;
};
POSEIDON_FIELDS(get_instance, instance)

struct find_live {
  owner_key owner;
  std::string challenge; ///< id or spec digest
};
POSEIDON_FIELDS(find_live, owner, challenge)

struct get_image {};
POSEIDON_NO_FIELDS(get_image)

/// Where this process's replica stands.
struct ledger_status {
  struct position folded;
  bool connected = false; ///< the log answers
  bool gate_open = true;  ///< false while rebuilding (rule 9)
  std::string digest;     ///< of the state at `folded`; empty unless asked for
  std::uint64_t entries = 0;
};
POSEIDON_FIELDS(ledger_status, folded, connected, gate_open, digest, entries)
struct get_ledger_status {
  bool with_digest = false; ///< encodes the whole state: not for polling
};
POSEIDON_FIELDS(get_ledger_status, with_digest)

// --- instances ------------------------------------------------------------------------------------------------------

/// A client's wish, already authenticated and resolved; the scheduler makes the entry.
struct start_instance {
  request_id request;
  std::string idempotency_key, body_digest;
  owner_ref owner;
  bool shared = false;      ///< a shared challenge: one instance for everybody
  challenge_id challenge;   ///< or empty:
  spec_ptr inline_spec;
  std::string metadata;
  secret flag;
  std::string actor;
};
POSEIDON_FIELDS(start_instance, request, idempotency_key, body_digest, owner, shared, challenge, inline_spec, metadata, flag, actor)

struct started {
  verdict_kind kind = verdict_kind::accepted; ///< accepted, queued (202) or existing (200)
  row_ptr row;
};
POSEIDON_FIELDS(started, kind, row)

struct stop_instance {
  instance_id instance;
  end_reason reason = end_reason::stopped;
  std::string actor;
};
POSEIDON_FIELDS(stop_instance, instance, reason, actor)

struct extend_instance {
  instance_id instance;
  std::string actor;
};
POSEIDON_FIELDS(extend_instance, instance, actor)

struct reset_instance {
  instance_id instance;
  std::string actor;
};
POSEIDON_FIELDS(reset_instance, instance, actor)

struct extended {
  wall_time expires_at;
  std::int64_t extensions_used_ms = 0;
};
POSEIDON_FIELDS(extended, expires_at, extensions_used_ms)

/// Live, losable details of an instance for API readers: never in the ledger.
struct instance_progress {
  instance_id instance;
  struct epoch epoch;
  poseidon::phase phase = poseidon::phase::assigned;
  std::optional<std::uint32_t> percent;
  std::string note; ///< why it is still pending, e.g. "no edge on this machine"
};
POSEIDON_FIELDS(instance_progress, instance, epoch, phase, percent, note)

/// A phase was left after so long; for histograms. May be lost.
struct phase_timing {
  poseidon::phase phase = poseidon::phase::assigned;
  std::int64_t took_ms = 0;
};
POSEIDON_FIELDS(phase_timing, phase, took_ms)

struct read_logs {
  instance_id instance;
  std::string service; ///< empty: the first
  std::uint32_t tail = 0; ///< lines; 0: all that is kept
};
POSEIDON_FIELDS(read_logs, instance, service, tail)
struct log_text {
  std::string text;
};
POSEIDON_FIELDS(log_text, text)
struct read_stats {
  instance_id instance;
};
POSEIDON_FIELDS(read_stats, instance)

/// Reconcile now; `dry_run` only lists.
struct collect_garbage {
  bool dry_run = false;
};
POSEIDON_FIELDS(collect_garbage, dry_run)
struct garbage_report {
  std::vector<std::string> removed; ///< "container <name>: why"
  std::vector<std::string> kept;
};
POSEIDON_FIELDS(garbage_report, removed, kept)

/// Start every instance of a node anew on others, under the same URL and with its deadline; what finds no room stays.
struct move_instances {
  node_name node;
  std::string actor;
};
POSEIDON_FIELDS(move_instances, node, actor)
struct moved_instances {
  std::uint32_t moved = 0, stayed = 0;
  failure why; ///< of the last that stayed
};
POSEIDON_FIELDS(moved_instances, moved, stayed, why)

/// A node as its supervisor sees itself.
struct node_status {
  node_name node;
  run_id run;
  runtime_info runtime;
  node_capacity capacity;
  std::uint32_t cpu_permille = 0, memory_permille = 0;
  std::uint32_t instances = 0;
  bool registered = false; ///< its node_up is folded: it may launch
  failure trouble;         ///< why it does not serve (engine down, isolation unproven)
  std::vector<std::string> images; ///< references of images that its engine holds, sorted; a bounded part of them
};
POSEIDON_FIELDS(node_status, node, run, runtime, capacity, cpu_permille, memory_permille, instances, registered, trouble, images)
struct get_node_status {};
POSEIDON_NO_FIELDS(get_node_status)

/// End in order: children first, containers stay unless told otherwise.
struct shut_down {
  bool stop_instances = false;
};
POSEIDON_FIELDS(shut_down, stop_instances)

// --- timers ---------------------------------------------------------------------------------------------------------

/// (owner, token) is due; `now` is the boot clock at delivery. A stale one is recognised by its token.
struct timer_due {
  std::uint64_t token = 0;
  boot_time now;
};
POSEIDON_FIELDS(timer_due, token, now)

// --- runtime port ---------------------------------------------------------------------------------------------------

struct ensure_group {
  launch_plan_ptr plan;
  std::int64_t timeout_ms = 0;
};
struct start_group_again {
  group_key key;
  std::int64_t timeout_ms = 0;
};
POSEIDON_FIELDS(start_group_again, key, timeout_ms)
/// `signal` at once, KILL after the grace; answered when every container of it has ended.
struct stop_group {
  group_key key;
  std::int64_t grace_ms = 0;
};
POSEIDON_FIELDS(stop_group, key, grace_ms)
struct remove_group {
  group_key key;
};
POSEIDON_FIELDS(remove_group, key)
struct inspect_group {
  group_key key;
};
POSEIDON_FIELDS(inspect_group, key)
struct read_group_logs {
  group_key key;
  std::string service;
  std::uint32_t tail = 0;
};
POSEIDON_FIELDS(read_group_logs, key, service, tail)
struct read_group_stats {
  group_key key;
};
POSEIDON_FIELDS(read_group_stats, key)
/// The plan's changed facts (deadline) for the container's instance.json.
struct refresh_group_file {
  launch_plan_ptr plan;
};
struct list_objects {};
POSEIDON_NO_FIELDS(list_objects)
struct object_list {
  std::vector<runtime_object> objects;
};
POSEIDON_FIELDS(object_list, objects)
struct remove_object {
  runtime_object object;
};
POSEIDON_FIELDS(remove_object, object)
/// References ("registry.example/web:1") of the images that the engine holds, sorted.
struct list_images {};
POSEIDON_NO_FIELDS(list_images)
struct image_list {
  std::vector<std::string> images;
};
POSEIDON_FIELDS(image_list, images)
struct get_runtime_info {};
POSEIDON_NO_FIELDS(get_runtime_info)

/// The engine went away or came back (event stream lost or found): lists have to be compared anew when it is back.
struct engine_changed {
  bool up = true;
};
POSEIDON_FIELDS(engine_changed, up)

// --- probe port -----------------------------------------------------------------------------------------------------

/// One attempt through the dial path.
struct probe_endpoint {
  endpoint where; ///< port set
  health_spec health;
  std::string host; ///< for the Host header of an http probe
  std::int64_t timeout_ms = 1000;
};
POSEIDON_FIELDS(probe_endpoint, where, health, host, timeout_ms)

// --- journal --------------------------------------------------------------------------------------------------------

/// Make the record durable together with these facts; answered after the commit. Facts then go to the ledger in order.
struct commit_record {
  record_ptr record;
  std::vector<entry_body> facts;
};
/// Forget it (its last fact has been folded), keep a tombstone.
struct forget_record {
  group_key key;
};
POSEIDON_FIELDS(forget_record, key)
struct load_records {};
POSEIDON_NO_FIELDS(load_records)
struct journal_contents {
  data_id data;                        ///< identity of this DATA
  std::vector<record_ptr> records;
  std::vector<inventory_item> tombstones;
  std::uint64_t waiting_facts = 0;
  std::vector<std::string> problems;   ///< records that could not be read, each with the reason; the others are unharmed
};
/// Tells whether all facts committed so far have been folded; answered then (or at the timeout).
struct flush_facts {
  group_key key;
};
POSEIDON_FIELDS(flush_facts, key)

// --- router ---------------------------------------------------------------------------------------------------------

/// Serve this; acknowledged once every thread of the edge does.
struct put_route {
  struct route route;
};
POSEIDON_FIELDS(put_route, route)
/// Cut it now; answer 410 with this for a day.
struct end_route {
  std::string host;
  instance_id instance;
  struct epoch epoch;
  end_reason reason = end_reason::stopped;
  wall_time at;
  bool replaced = false; ///< a newer epoch will follow (reset): 503 instead of 410 until then
};
POSEIDON_FIELDS(end_route, host, instance, epoch, reason, at, replaced)
/// Not ready yet: 503 and a page that waits.
struct announce_route {
  std::string host;
  instance_id instance;
  struct epoch epoch;
};
POSEIDON_FIELDS(announce_route, host, instance, epoch)
struct route_acked {
  instance_id instance;
  struct epoch epoch;
};
POSEIDON_FIELDS(route_acked, instance, epoch)

// --- catalogue ------------------------------------------------------------------------------------------------------

struct rescan_challenges {};
POSEIDON_NO_FIELDS(rescan_challenges)
struct challenge_problem {
  std::string folder, challenge;
  std::vector<field_problem> errors;
};
POSEIDON_FIELDS(challenge_problem, folder, challenge, errors)
struct catalogue_report {
  std::uint32_t challenges = 0;
  std::vector<challenge_problem> problems;
};
POSEIDON_FIELDS(catalogue_report, challenges, problems)

} // namespace poseidon
