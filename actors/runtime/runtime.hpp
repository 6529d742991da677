#pragma once
// The runtime as an actor: requests become calls of the port, its callbacks become replies.

#include "actors/interfaces.hpp"
#include "actors/runtime/runtime_port.hpp"

namespace poseidon {

struct runtime_deps {
  std::shared_ptr<runtime> port;
  timers_actor timers;
  std::shared_ptr<const poseidon::clock> clock;
  millis slack{5'000};             ///< beyond the time that the port promises for a call
  millis first_retry{250};         ///< of the port's start; doubled up to
  millis longest_retry{5'000};
  std::size_t log_bytes = 1 << 20; ///< most of a log that one answer carries: its end
  std::size_t most_streams = 256;  ///< of logs, at once; more are refused with queue_full
  millis stream_silence{30'000};   ///< a stream whose reader says nothing for so long ends
};

/// Starts the port by itself, again and again until it succeeds, and tells the engine's watchers when it has. Until then
/// every request is answered at once with why it does not start; get_runtime_info too. A request whose port does not
/// answer ends as engine_timeout; what comes later is dropped.
runtime_actor spawn_runtime(caf::actor_system& system, runtime_deps deps);

} // namespace poseidon
