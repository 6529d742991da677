#pragma once

#include "actors/kit/actor_scheduler.hpp"

namespace poseidon::test {

/// An actor system with the real scheduler.
struct threaded_system {
  struct quiet : caf::actor_system_config {
    quiet() {
      actor_scheduler::use(*this);
      set("scheduler.max-threads", 2);
      set("logger.verbosity", caf::atom("quiet"));
    }
  } config;
  caf::actor_system system{config};
};

/// Ends an actor and waits until it has.
template <class Handle>
void end(caf::actor_system& system, const Handle& actor) {
  caf::scoped_actor self(system);
  self->send_exit(actor, caf::exit_reason::user_shutdown);
  self->wait_for(actor);
}

} // namespace poseidon::test
