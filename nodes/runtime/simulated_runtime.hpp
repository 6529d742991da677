#pragma once
// The runtime over a simulated engine: same interface, same answers, no thread, no clock.

#include "nodes/runtime/simulated_engine.hpp"

namespace poseidon {

/// One process's runtime. Several may share an engine, one after the other (a restarted process) or at once (several
/// nodes of names of their own). `later` is the process's own timer: what it still holds when the runtime goes has no
/// effect. Calls and callbacks happen on the timer's thread; a callback never comes from within the call itself.
std::unique_ptr<runtime> make_simulated_runtime(std::shared_ptr<simulated_engine> engine, std::string cluster,
                                                std::string node, simulation_timer later);

} // namespace poseidon
