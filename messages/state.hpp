#pragma once
// The rows of the folded state, as every reader of a replica sees them. Rows are immutable and shared: the fold
// replaces them, readers keep what they have.

#include "messages/entries.hpp"

namespace poseidon {

/// Where the ledger sees an instance. The API's states are derived (see api_state).
enum class ledger_phase : std::uint8_t { queued, assigned, running, stopping, ended };
POSEIDON_ENUM(ledger_phase, queued, assigned, running, stopping, ended)

/// The API's states (INTERFACE.md).
enum class instance_state : std::uint8_t { queued, pending, running, stopping, stopped, expired, failed, lost };
POSEIDON_ENUM(instance_state, queued, pending, running, stopping, stopped, expired, failed, lost)

/// Which spec an instance was made of; shared by all rows with the same one.
struct spec_source {
  std::string revision; ///< the challenge's; empty for an inline spec
  spec_digest spec_id;
};
POSEIDON_FIELDS(spec_source, revision, spec_id)
using source_ptr = std::shared_ptr<const spec_source>;
using failure_ptr = std::shared_ptr<const failure>;

/// One instance in the folded state.
struct instance_row {
  instance_id id;
  owner_ref owner;
  owner_key key;
  challenge_id challenge; ///< empty for an inline spec
  source_ptr source;      ///< revision and spec's digest; never null
  spec_ptr spec;          ///< never null
  std::string host;
  std::string metadata;
  sealed_secret flag;
  struct epoch epoch;       ///< empty while queued: nobody may run it; whoever holds a copy of a queued one fences it
  node_name node;           ///< assigned node; empty while queued
  run_id node_run;          ///< its run at assignment
  struct position created, changed;
  wall_time created_at;
  std::optional<wall_time> running_at, expires_at, ended_at;
  std::int64_t extensions_used_ms = 0;
  std::uint32_t restarts = 0;
  std::optional<end_reason> stop_mark; ///< this instance shall end
  end_reason reason = end_reason::none;
  ledger_phase phase = ledger_phase::queued; ///< here for the padding: a replica's row has a budget
  std::string stopped_by;
  failure_ptr why;                   ///< null: nothing failed
  std::vector<node_name> excluded;   ///< refused it
  std::vector<port_spec> ports;      ///< once running
  std::uint32_t queue_position = 0;  ///< when it was queued; 1: next; 0: not queued. get_instance answers the present one
};
POSEIDON_FIELDS(instance_row, id, owner, key, challenge, source, spec, host, metadata, flag, phase, epoch, node,
                node_run, created, changed, created_at, running_at, expires_at, ended_at, extensions_used_ms, restarts,
                stop_mark, reason, stopped_by, why, excluded, ports, queue_position)
using row_ptr = std::shared_ptr<const instance_row>;

/// The state that the API shows.
instance_state api_state(const instance_row& row);
/// True until the slot is free again.
inline bool is_live(const instance_row& row) { return row.phase != ledger_phase::ended; }

struct node_row {
  node_name name;
  run_id run;
  data_id data;
  machine_id machine;
  node_capacity capacity;
  std::map<std::string, std::string> tags;
  node_mode mode = node_mode::ready;
  bool lost = false;
  std::string version;
  struct position up_at;
  std::uint64_t reserved_memory_bytes = 0;
  std::uint32_t reserved_cpu_millis = 0, instances = 0;
  std::int64_t drain_limit_ms = 0; ///< while draining, as of its mark
  bool drain_move = false;
  struct position mode_at; ///< of the entry that set the mode
};
POSEIDON_FIELDS(node_row, name, run, data, machine, capacity, tags, mode, lost, version, up_at, reserved_memory_bytes,
                reserved_cpu_millis, instances, drain_limit_ms, drain_move, mode_at)

struct challenge_row {
  challenge_id id;
  std::string revision;
  spec_digest spec_id;
  spec_ptr spec;
  std::string metadata;
  sealed_secret confidential;
  bool enabled = true;
};
POSEIDON_FIELDS(challenge_row, id, revision, spec_id, spec, metadata, confidential, enabled)

/// How one node stood when an instance was assigned.
struct placement_candidate {
  node_name node;
  std::uint64_t score = 0; ///< lower is better; 0 when it was out of the question
  std::string why_not;     ///< empty: it could have been taken
};
POSEIDON_FIELDS(placement_candidate, node, score, why_not)
/// Why an instance was assigned to the node it was assigned to.
struct placement_decision {
  instance_id instance;
  node_name node;
  std::string reason; ///< for people: "least loaded of 3", "the only one with label gpu=yes"
  std::vector<placement_candidate> candidates;
};
POSEIDON_FIELDS(placement_decision, instance, node, reason, candidates)

/// What a subscriber of the ledger is told about one entry, in order of positions: what happened, and the rows after it.
struct ledger_change {
  struct position at;
  wall_time logged_at;
  entry_ptr cause;
  std::vector<row_ptr> instances; ///< changed rows; ended ones included
  std::vector<instance_id> forgotten;
  std::vector<std::shared_ptr<const node_row>> nodes;
  std::vector<std::shared_ptr<const challenge_row>> challenges;
  std::vector<challenge_id> dropped_challenges;
  bool administration = false; ///< keys, settings, limits or pause changed
  std::vector<placement_decision> decisions;
};
using ledger_changes = std::shared_ptr<const std::vector<ledger_change>>;

/// Everything that is not a row of its own.
struct administration {
  std::vector<put_key_entry> keys;
  std::map<std::string, std::string> settings; ///< name -> JSON text
  limit_table limits;
  bool paused = false;
  std::string pause_message;
};
POSEIDON_FIELDS(administration, keys, settings, limits, paused, pause_message)

/// The whole of a replica at one position, for a new subscriber.
struct ledger_image {
  struct position at;
  std::vector<row_ptr> instances;
  std::vector<std::shared_ptr<const node_row>> nodes;
  std::vector<std::shared_ptr<const challenge_row>> challenges;
  administration admin;
};
using ledger_image_ptr = std::shared_ptr<const ledger_image>;

enum class verdict_kind : std::uint8_t { accepted, queued, existing, refused, without_effect };
POSEIDON_ENUM(verdict_kind, accepted, queued, existing, refused, without_effect)

/// How the fold judged one entry.
struct verdict {
  verdict_kind kind = verdict_kind::accepted;
  failure why;            ///< for refused and without_effect
  instance_id instance;   ///< the instance it concerns, where there is one
};
POSEIDON_FIELDS(verdict, kind, why, instance)

} // namespace poseidon
