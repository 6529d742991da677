#pragma once
// From what an engine answers to the one documented error. Pure.

#include "messages/errors.hpp"

#include <string>

namespace poseidon::engine {

/// What was asked of the engine when it failed.
enum class engine_call { create, start, remove, inspect, pull, network, other };

/// The `message` of an error body (Docker) or its `cause` (Podman adds it); the body itself when it is no such JSON.
std::string error_message(const std::string& body);

/// True when a start was refused because the container, for the engine not running, has a task below it: left by an engine
/// that was killed in the midst of starting it.
bool means_leftover(const std::string& message);

/// The failure that an HTTP status and its message mean; `subject` (an image, a name) goes into the detail.
failure map_error(engine_call call, unsigned status, const std::string& message, const std::string& subject);

/// The failure of a container that ended before anyone could use it.
failure map_early_exit(std::int32_t exit_code, bool out_of_memory, const std::string& state_error,
                       std::string log_tail);

} // namespace poseidon::engine
