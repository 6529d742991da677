#pragma once
// What every actor of ours has in place of CAF's defaults, which print to stdout.

namespace caf {
class scheduled_actor;
}

namespace poseidon {

/// Installs default, exit, down, error and exception handlers that log under `name` (a literal: it outlives the actor, and
/// costs a live instance no memory). An unexpected message is answered with an error; an unhandled error or exception ends
/// the actor, and its supervisor decides what follows. An actor that watches others sets a down handler of its own afterwards
/// (kit/children.hpp does).
void install_handlers(caf::scheduled_actor* self, const char* name);

} // namespace poseidon
