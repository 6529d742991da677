#pragma once
// What the ledger holds: commands and facts (LEDGER.md, docs/ownership.md). Every entry is appended unconditionally and
// judged by the fold. High-rate, losable things (metrics, progress, log lines) never become entries.

#include "messages/blob.hpp"
#include "messages/errors.hpp"
#include "messages/secret.hpp"
#include "messages/spec.hpp"

#include <variant>

namespace poseidon {

/// Why an instance ended (or shall end). `none` while it lives.
enum class end_reason : std::uint8_t { none, stopped, expired, solved, idle, failed, lost, fenced, evicted, superseded };
POSEIDON_ENUM(end_reason, none, stopped, expired, solved, idle, failed, lost, fenced, evicted, superseded)

/// Load of a node as the scheduler saw it, in thousandths.
struct load_hint {
  node_name node;
  std::uint32_t cpu_permille = 0, memory_permille = 0;
  bool has_image = false; ///< the images of what is to start are there already
  friend bool operator==(const load_hint&, const load_hint&) = default;
};
POSEIDON_FIELDS(load_hint, node, cpu_permille, memory_permille, has_image)

/// "This owner wants an instance of this challenge": admission, placement and queueing in one entry.
struct start_entry {
  static constexpr std::string_view kind = "start";
  request_id request;
  std::string idempotency_key; ///< empty: none; already scoped to the API key that sent it
  std::string body_digest;     ///< of the request body; another body under the same key is refused
  instance_id instance;        ///< the id it gets when admitted
  owner_ref owner;
  owner_key key;               ///< key_of(owner), or `shared`
  challenge_id challenge;      ///< empty for an inline spec
  std::string revision;        ///< challenge revision ("sha256:…"); empty for an inline spec
  spec_digest spec;
  spec_ptr inline_spec;        ///< only when the ledger may not know the digest yet
  std::string host;            ///< the instance's host name, stored for ever
  std::string metadata;        ///< JSON text, opaque
  sealed_secret flag;          ///< empty: none
  std::string actor;           ///< who asked: "key:<id>", "player:…"
  std::vector<load_hint> loads;
  bool restored = false;       ///< appended again after a torn log: admitted whatever the limits; slot taken: superseded
};
POSEIDON_FIELDS(start_entry, request, idempotency_key, body_digest, instance, owner, key, challenge, revision, spec,
                inline_spec, host, metadata, flag, actor, loads, restored)

/// Ends what is queued; on anything assigned sets the stop mark.
struct cancel_entry {
  static constexpr std::string_view kind = "cancel";
  instance_id instance;
  end_reason reason = end_reason::stopped;
  std::string actor;
};
POSEIDON_FIELDS(cancel_entry, instance, reason, actor)

enum class move_reason : std::uint8_t { reset, drain, recreate };
POSEIDON_ENUM(move_reason, reset, drain, recreate)

/// A new assignment of a live instance: reset (same node), drain, re-creation.
struct move_entry {
  static constexpr std::string_view kind = "move";
  instance_id instance;
  struct epoch expected; ///< without effect if the instance has another epoch by now
  move_reason reason = move_reason::reset;
  std::optional<wall_time> expires_at; ///< kept deadline; nothing: a new lifetime
  std::int64_t extensions_used_ms = 0;
  std::string actor;
  std::vector<load_hint> loads;
};
POSEIDON_FIELDS(move_entry, instance, expected, reason, expires_at, extensions_used_ms, actor, loads)

struct node_lost_entry {
  static constexpr std::string_view kind = "node_lost";
  node_name node;
  run_id run;
  wall_time last_heartbeat;
};
POSEIDON_FIELDS(node_lost_entry, node, run, last_heartbeat)

/// What an instance is, from its node's journal or its labels: for a ledger that has forgotten it.
struct instance_origin {
  owner_ref owner;
  owner_key key;
  challenge_id challenge; ///< empty for an inline spec
  std::string revision;
  spec_digest spec_id;
  spec_ptr spec;
  std::string host, metadata;
  sealed_secret flag;
  wall_time created_at;
  std::vector<port_spec> ports;
};
POSEIDON_FIELDS(instance_origin, owner, key, challenge, revision, spec_id, spec, host, metadata, flag, created_at, ports)

/// What a node holds of one instance when it registers. A tombstone says that it held it and that it ended.
struct inventory_item {
  instance_id instance;
  struct epoch epoch;
  bool tombstone = false;
  end_reason reason = end_reason::none; ///< of a tombstone
  bool running = false;
  std::optional<wall_time> running_at, expires_at;
  std::int64_t extensions_used_ms = 0;
  std::optional<instance_origin> origin; ///< set when the node's replica doesn't know the instance: it may be adopted
};
POSEIDON_FIELDS(inventory_item, instance, epoch, tombstone, reason, running, running_at, expires_at, extensions_used_ms, origin)

struct node_capacity {
  std::uint64_t memory_bytes = 0;
  std::uint32_t cpu_millis = 0;
  std::uint32_t instances = 0; ///< most instances at once; 0: as many as memory and cpu allow
  friend bool operator==(const node_capacity&, const node_capacity&) = default;
};
POSEIDON_FIELDS(node_capacity, memory_bytes, cpu_millis, instances)

/// A node registers: with a new run, after its own loss, after each incarnation.
struct node_up_entry {
  static constexpr std::string_view kind = "node_up";
  node_name node;
  run_id run;
  data_id data;
  machine_id machine;
  node_capacity capacity;
  std::map<std::string, std::string> tags;
  std::uint64_t incarnation = 0; ///< the incarnation it answers
  struct position at;            ///< its replica's position when it took the inventory
  std::vector<inventory_item> inventory;
  std::string version;
};
POSEIDON_FIELDS(node_up_entry, node, run, data, machine, capacity, tags, incarnation, at, inventory, version)

/// What each fact of a node starts with: which instance, and which fact of this run (repeats are recognised).
struct fact_head {
  instance_id instance;
  struct epoch epoch;
  node_name node;
  run_id run;
  std::uint64_t number = 0;
  friend bool operator==(const fact_head&, const fact_head&) = default;
};
POSEIDON_FIELDS(fact_head, instance, epoch, node, run, number)

/// The node can't run it here (image missing, no space, …); it is tried elsewhere.
struct refused_entry {
  static constexpr std::string_view kind = "refused";
  fact_head head;
  failure why;
};
POSEIDON_FIELDS(refused_entry, head, why)

/// Reachable: healthy through the dial path and acknowledged by the machine's edge.
struct running_entry {
  static constexpr std::string_view kind = "running";
  fact_head head;
  wall_time running_at, expires_at;
  std::vector<port_spec> ports;
};
POSEIDON_FIELDS(running_entry, head, running_at, expires_at, ports)

struct deadline_moved_entry {
  static constexpr std::string_view kind = "deadline_moved";
  fact_head head;
  wall_time expires_at;
  std::int64_t extensions_used_ms = 0;
  std::string actor;
};
POSEIDON_FIELDS(deadline_moved_entry, head, expires_at, extensions_used_ms, actor)

struct restarted_entry {
  static constexpr std::string_view kind = "restarted";
  fact_head head;
  std::string service;
  std::int32_t exit_code = 0;
  std::uint32_t count = 0;
};
POSEIDON_FIELDS(restarted_entry, head, service, exit_code, count)

/// Its deadline is near: five minutes, or what the gateway's setting says. Said once for each deadline; for notifications.
struct expiring_entry {
  static constexpr std::string_view kind = "expiring";
  fact_head head;
  wall_time expires_at;
};
POSEIDON_FIELDS(expiring_entry, head, expires_at)

struct stopping_entry {
  static constexpr std::string_view kind = "stopping";
  fact_head head;
  end_reason reason = end_reason::stopped;
  std::string actor;
};
POSEIDON_FIELDS(stopping_entry, head, reason, actor)

/// Nothing of it is left on the node. The last fact of an (instance, epoch).
struct ended_entry {
  static constexpr std::string_view kind = "ended";
  fact_head head;
  end_reason reason = end_reason::stopped;
  failure why; ///< for `failed`
  wall_time ended_at;
  std::string actor;
};
POSEIDON_FIELDS(ended_entry, head, reason, why, ended_at, actor)

/// An API key; `sha256` is of the key's secret part.
struct put_key_entry {
  static constexpr std::string_view kind = "put_key";
  key_id key;
  std::string sha256;              ///< 64 hex digits
  std::vector<std::string> scopes; ///< admin, platform, read, metrics
  std::string note;
  wall_time created_at;
};
POSEIDON_FIELDS(put_key_entry, key, sha256, scopes, note, created_at)
struct drop_key_entry {
  static constexpr std::string_view kind = "drop_key";
  key_id key;
};
POSEIDON_FIELDS(drop_key_entry, key)

/// A live setting, changed at run time; `value` is JSON text, empty to go back to the configured one.
struct put_setting_entry {
  static constexpr std::string_view kind = "put_setting";
  std::string name, value;
};
POSEIDON_FIELDS(put_setting_entry, name, value)

/// Limits that admission enforces exactly. 0: no limit.
struct limit_table {
  std::uint32_t per_owner = 1;     ///< live instances of one owner key
  std::uint32_t per_user = 0, per_team = 0;
  std::uint32_t per_challenge = 0;
  std::uint32_t per_node = 0;
  std::uint32_t cluster = 0;
  std::uint32_t cost_per_owner = 0, cost_cluster = 0; ///< sums of the challenges' cost units
  std::uint32_t queue = 1000;      ///< most queued at once; 0: never queue, refuse
  std::uint32_t weight_cpu = 500, weight_memory = 300, weight_count = 200; ///< placement, thousandths
  bool pack = false;          ///< placement fills one node before it takes the next
  bool recreate_lost = false; ///< what ran on a lost node is assigned anew instead of ending as lost
  friend bool operator==(const limit_table&, const limit_table&) = default;
};
POSEIDON_FIELDS(limit_table, per_owner, per_user, per_team, per_challenge, per_node, cluster, cost_per_owner, cost_cluster, queue,
                weight_cpu, weight_memory, weight_count, pack, recreate_lost)
struct put_limits_entry {
  static constexpr std::string_view kind = "put_limits";
  limit_table limits;
};
POSEIDON_FIELDS(put_limits_entry, limits)

/// One revision of a challenge.
struct put_challenge_entry {
  static constexpr std::string_view kind = "put_challenge";
  challenge_id challenge;
  std::string revision;
  spec_digest spec;
  spec_ptr body;
  std::string metadata;      ///< JSON text: the folder's other keys, without flags and solutions
  sealed_secret confidential; ///< JSON text of flags and solutions
};
POSEIDON_FIELDS(put_challenge_entry, challenge, revision, spec, body, metadata, confidential)
struct drop_challenge_entry {
  static constexpr std::string_view kind = "drop_challenge";
  challenge_id challenge;
};
POSEIDON_FIELDS(drop_challenge_entry, challenge)
struct enable_challenge_entry {
  static constexpr std::string_view kind = "enable_challenge";
  challenge_id challenge;
  bool enabled = true;
};
POSEIDON_FIELDS(enable_challenge_entry, challenge, enabled)

enum class node_mode : std::uint8_t { ready, cordoned, draining };
POSEIDON_ENUM(node_mode, ready, cordoned, draining)
struct set_node_mode_entry {
  static constexpr std::string_view kind = "set_node_mode";
  node_name node;
  node_mode mode = node_mode::ready;
  std::int64_t limit_ms = 0; ///< draining: what is left after so long is evicted by its node; 0: it may stay until its own end
  bool move = false;         ///< draining: its instances are started anew on others
};
POSEIDON_FIELDS(set_node_mode_entry, node, mode, limit_ms, move)

struct set_pause_entry {
  static constexpr std::string_view kind = "set_pause";
  bool paused = false;
  std::string message;
};
POSEIDON_FIELDS(set_pause_entry, paused, message)

/// Forget ended instances and idempotency keys whose last change is at or before this.
struct compact_entry {
  static constexpr std::string_view kind = "compact";
  struct position up_to;
};
POSEIDON_FIELDS(compact_entry, up_to)

/// The log begins anew: `snapshot` is the opener's state before it (empty: a new log).
struct incarnation_entry {
  static constexpr std::string_view kind = "incarnation";
  std::uint64_t number = 1;
  random_id<struct incarnation_tag> nonce;
  blob snapshot; ///< encoded state
  std::string snapshot_digest;
};
POSEIDON_FIELDS(incarnation_entry, number, nonce, snapshot, snapshot_digest)

struct activate_entry {
  static constexpr std::string_view kind = "activate";
  std::uint32_t fold_version = 1;
};
POSEIDON_FIELDS(activate_entry, fold_version)

using entry_body = std::variant<start_entry, cancel_entry, move_entry, node_lost_entry, node_up_entry, refused_entry, running_entry,
                                deadline_moved_entry, restarted_entry, stopping_entry, ended_entry, put_key_entry, drop_key_entry,
                                put_setting_entry, put_limits_entry, put_challenge_entry, drop_challenge_entry, enable_challenge_entry,
                                set_node_mode_entry, set_pause_entry, compact_entry, incarnation_entry, activate_entry, expiring_entry>;

/// One record of the log, as its appender made it.
struct entry {
  static constexpr std::uint32_t current_version = 1;
  entry_id id;
  std::uint32_t version = current_version; ///< schema of the payload
  std::string appender;                    ///< process name
  run_id run;
  struct position folded;                  ///< what the appender had folded
  wall_time at;                            ///< for display only
  entry_body body;
};
POSEIDON_FIELDS(entry, id, version, appender, run, folded, at, body)
using entry_ptr = std::shared_ptr<const entry>;

/// An entry at its place.
struct placed_entry {
  struct position at;
  wall_time logged_at; ///< the log's own timestamp
  entry_ptr what;
};
POSEIDON_FIELDS(placed_entry, at, logged_at, what)

/// The entry's kind, as in JSON.
inline std::string_view kind_of(const entry_body& body) {
  return std::visit([](auto& b) { return std::decay_t<decltype(b)>::kind; }, body);
}

} // namespace poseidon
