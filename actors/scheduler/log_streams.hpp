#pragma once
// Streams of an instance's output, from its node.

#include "actors/scheduler/scheduler_state.hpp"

namespace poseidon {

/// Answers with the source at the instance's node; reader and source speak with each other from then on. Errors:
/// unknown_instance, instance_ended, engine_unavailable when its node can't be reached, and the node's own.
void open_logs(scheduler_state& s, const open_log_stream& request, bounded_promise<stream_opened> promise);

} // namespace poseidon
