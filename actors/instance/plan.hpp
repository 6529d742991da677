#pragma once
// From a journal record to what runtime and edge are told. Pure.

#include "messages/commands.hpp"

namespace poseidon {

/// Everything the runtime needs. `expires_max` bounds the life of what a node without journal finds by its labels: start
/// limit, lifetime and all extensions from `now`, and an hour for clocks that differ.
launch_plan_ptr make_plan(const journal_record& record, wall_time now);

/// The instance's route to `where`, cut at `deadline` of this machine's boot clock.
route make_route(const journal_record& record, const machine_id& machine, const endpoint& where, std::optional<boot_time> deadline);

/// The service that is routed and probed, in a group's state; null when the group lacks it.
const service_state* routed_service(const instance_spec& spec, const group_state& group);

/// What starts each fact; takes the record's next number.
fact_head next_head(journal_record& record, const node_name& node, const run_id& run);

} // namespace poseidon
