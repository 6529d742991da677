#pragma once
// The source of one stream of a group's output: an actor between the port that reads and whoever reads at the other end.

#include "actors/interfaces.hpp"
#include "actors/kit/port_calls.hpp"
#include "actors/runtime/runtime_port.hpp"

#include <atomic>

namespace poseidon {

/// Its first message; answered once the engine sends, or with why it does not.
struct begin_reading {
  using poseidon_message = void;
  open_group_log_stream what;
};
using log_source = stream_source::extend<replies_to<begin_reading>::with<outcome<stream_opened>>, reacts_to<port_event>, reacts_to<timer_due>>;

struct log_source_deps {
  std::shared_ptr<runtime> port;
  timers_actor timers;
  std::shared_ptr<const poseidon::clock> clock;
  std::shared_ptr<std::atomic<std::size_t>> open; ///< counts sources for as long as they live
  millis silence{30'000};                         ///< a reader that says nothing for so long is gone
};

/// Ends after its last word, with its reader, when it is closed, and when its reader is silent.
log_source spawn_log_source(caf::actor_system& system, log_source_deps deps);

} // namespace poseidon
