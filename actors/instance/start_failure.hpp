#pragma once
// What a failed start means: whose fault it is, and in which words. Pure.

#include "messages/runtime.hpp"

namespace poseidon {

/// True when the engine's answer leaves open whether anything happened: look, then decide.
bool is_unclear(errc code);

/// True when this node can't run it, but another may (image missing, no space, engine away): `refused`. Else it is the
/// challenge's own fault: `failed`.
bool node_cannot(errc code);

/// The failure of a service that ended before it was ever reachable, from its exit and its last output.
failure exit_failure(const service_exited& exit, std::string log_tail);

/// How long after `probing_for` the next health check comes: every `first` for 200 ms, then ever rarer up to 250 ms (or `first`, if longer).
millis probe_delay(millis first, millis probing_for);

/// Delay before try number `attempt` (from 0) of something that failed: doubled from `first` up to `longest`.
millis back_off(std::uint32_t attempt, millis first, millis longest);

} // namespace poseidon
