#pragma once
// The actor in front of the kept logs of this node: instances hand theirs over when they end, the supervisor asks it for
// instances that it holds no more.

#include "actors/interfaces.hpp"
#include "nodes/host/kept_logs.hpp"

namespace poseidon {

/// Nothing comes back: an ended instance does not wait for a disk.
struct keep_logs {
  using poseidon_message = void;
  instance_id instance;
  std::string text;
};
using log_keeper_actor = caf::typed_actor<reacts_to<keep_logs>, replies_to<read_logs>::with<outcome<log_text>>, reacts_to<timer_due>>;

struct log_keeper_deps {
  kept_logs logs;
  timers_actor timers;
  std::shared_ptr<const poseidon::clock> clock;
  millis period{60'000}; ///< how often old ones are looked for; the first time at once
};

/// On a thread of its own: it reads and writes files.
log_keeper_actor spawn_log_keeper(caf::actor_system& system, log_keeper_deps deps);

} // namespace poseidon
