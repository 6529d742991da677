#pragma once
// A gateway thread as the reader of a stream.

#include "actors/interfaces.hpp"
#include "gateway/streams.hpp"

namespace poseidon::gateway {

/// Asks `from` for the stream within `limit`, and tells `thread` of what comes.
std::shared_ptr<open_stream> read_stream(caf::actor_system& system, const scheduler_actor& from, millis limit, std::shared_ptr<loop> thread,
                                         read_log_stream what, stream_events told);

} // namespace poseidon::gateway
