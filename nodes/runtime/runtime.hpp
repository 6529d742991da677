#pragma once
// The runtime port (actors/runtime/runtime_port.hpp), and the ways into a process that its real form is given.

#include "actors/runtime/runtime_port.hpp"
#include "nodes/dialer/unique_fd.hpp"

namespace poseidon {

/// Sends `signal` to exactly the process that the endpoint names (pid, start ticks and cgroup are checked by whoever
/// does it): dialer_client::async_signal. Answers errc::ok when it was sent, service_died when that process is gone.
using signaller = std::function<void(const endpoint&, int signal, std::function<void(failure)>)>;

/// Opens a connection to `port` inside the endpoint's network namespace: dialer_client::async_connect.
using namespace_dial = std::function<void(const endpoint&, std::uint16_t port, millis timeout, answer<unique_fd>)>;

/// Kills the containerd shim that the endpoint names, if it is the shim of the endpoint's container:
/// dialer_client::async_end_shim. Answers as a signaller does.
using shim_ender = std::function<void(const endpoint&, std::function<void(failure)>)>;

} // namespace poseidon
