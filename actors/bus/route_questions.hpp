#pragma once
// A host that an edge does not know is asked for over the bus, once; the edge on its machine answers, everybody else is silent.

#include "actors/bus/bus.hpp"
#include "messages/route.hpp"

namespace poseidon {

/// The live route of a host that this process's machine serves; nothing: somebody else's, or nobody's. Thread-safe, quick.
using own_route = std::function<std::optional<route>(const std::string& host)>;

/// Answers for what is served here, for as long as the bus lives.
void answer_route_questions(bus& over, const std::string& cluster, own_route find);

/// Calls `done` once: with the route (without endpoint and deadline: those are its machine's), or nothing when nobody has it
/// or nobody answers within `limit`.
void ask_for_route(bus& over, const std::string& cluster, const std::string& host, millis limit, std::function<void(std::optional<route>)> done);

} // namespace poseidon
