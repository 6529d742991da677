#pragma once
// The node's durable record of one of its instances: what the engine can't hold (LEDGER.md rule 8).

#include "messages/entries.hpp"
#include "messages/runtime.hpp"

namespace poseidon {

/// The lifecycle's phases (DESIGN.md section 3); table in actors/instance/lifecycle.hpp.
enum class phase : std::uint8_t {
  queued, assigned, pulling, creating, starting, probing, running, restarting, stopping, capturing, removing, gone
};
POSEIDON_ENUM(phase, queued, assigned, pulling, creating, starting, probing, running, restarting, stopping, capturing, removing, gone)

/// A deadline that survives a restart of the process (boot clock) and of the machine (wall clock).
struct durable_deadline {
  std::string boot_id; ///< kernel boot id the boot time belongs to
  boot_time boot;
  wall_time wall;
};
POSEIDON_FIELDS(durable_deadline, boot_id, boot, wall)

struct journal_record {
  static constexpr std::uint32_t current_schema = 1;
  std::uint32_t schema = current_schema;
  instance_id instance;
  struct epoch epoch;
  run_id run;                ///< the run that wrote it last
  owner_ref owner;
  owner_key key;
  challenge_id challenge;
  std::string revision;
  spec_digest spec_id;
  spec_ptr spec;
  std::string host, url;
  secret flag;
  wall_time created_at;
  poseidon::phase phase = poseidon::phase::assigned;
  std::optional<durable_deadline> deadline;
  std::optional<wall_time> running_at;
  std::int64_t extensions_used_ms = 0;
  std::vector<boot_time> restarts;  ///< recent ones, for the restart policy
  std::vector<port_spec> ports;
  end_reason reason = end_reason::none; ///< set once it is to end
  failure why;
  std::string stopped_by;
  std::uint64_t next_fact = 1;      ///< number of its next fact
  std::optional<wall_time> ended_at;
};
POSEIDON_FIELDS(journal_record, schema, instance, epoch, run, owner, key, challenge, revision, spec_id, spec, host, url, flag,
                created_at, phase, deadline, running_at, extensions_used_ms, restarts, ports, reason, why, stopped_by, next_fact, ended_at)
using record_ptr = std::shared_ptr<const journal_record>;

} // namespace poseidon
