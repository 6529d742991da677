#pragma once

#include "actors/bus/bus.hpp"
#include "actors/nats/nats_servers.hpp"

namespace poseidon {

/// The bus over NATS. Connects in the background, and anew whenever the connection is lost.
std::unique_ptr<bus> make_nats_bus(nats_servers servers, std::shared_ptr<const clock> time);

} // namespace poseidon
