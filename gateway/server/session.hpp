#pragma once
// One accepted connection. Only server/*.cpp includes this.

#include "gateway/server/io_thread.hpp"

#include <boost/asio/generic/stream_protocol.hpp>

namespace poseidon::gateway {

using stream_socket = boost::asio::generic::stream_protocol::socket;

/// Serves the requests of one connection, on its own thread. The session keeps itself alive while I/O is under way.
void start_session(io_thread& thread, stream_socket socket, peer_info peer);

} // namespace poseidon::gateway
