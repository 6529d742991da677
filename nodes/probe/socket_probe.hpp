#pragma once
// The real health check: through the dialer into the instance's namespace, as the edge goes.

#include "actors/probe/probe_port.hpp"
#include "nodes/dialer/dialer_client.hpp"

#include <memory>

namespace poseidon {

/// Probes on `io`; both `io` and `dialer` must outlive it and every probe under way.
std::unique_ptr<probe_port> make_socket_probe(boost::asio::io_context& io, dialer_client& dialer);

} // namespace poseidon
