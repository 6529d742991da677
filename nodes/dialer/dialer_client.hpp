#pragma once

#include "messages/runtime.hpp"
#include "nodes/dialer/unique_fd.hpp"

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace poseidon {

/// Reaches into instances. Thread-safe; never blocks. Every call gets exactly one answer, on a thread that runs the
/// io_context, at the latest after its timeout; never from within the call itself.
///
/// Answers: service_died (the process has ended, or its pid belongs to another now), instance_not_running (nothing listens
/// on that port), request_timeout, operation_not_permitted (the dialer has no privilege), capacity_exhausted (out of
/// descriptors), bad_request (no usable endpoint), shutting_down (stopped, or the dialer has ended), internal.
class dialer_client {
public:
  using connect_handler = std::function<void(outcome<unique_fd>)>;
  using signal_handler = std::function<void(failure)>;

  /// `socket`: of start_dialer. Without one (empty) only endpoints with an address can be reached.
  /// `io` must outlive the client's stop().
  dialer_client(boost::asio::io_context& io, unique_fd socket);
  ~dialer_client();
  dialer_client(const dialer_client&) = delete;
  dialer_client& operator=(const dialer_client&) = delete;

  /// A connected, non-blocking TCP socket to `port` of the instance's own loopback, or of where.address when it has no pid.
  void async_connect(const endpoint& where, std::uint16_t port, millis timeout, connect_handler done);
  /// Signals the container's first process (signo 0: only looks whether it is still there).
  void async_signal(const endpoint& where, int signo, millis timeout, signal_handler done);
  /// Kills the containerd shim `where` (pid, start ticks) if it is the shim of where.container. Answers as async_signal.
  void async_end_shim(const endpoint& where, millis timeout, signal_handler done);
  /// Answers all that is under way with shutting_down, and closes the socket: the dialer ends. May be repeated.
  void stop();

private:
  class core;
  std::shared_ptr<core> core_;
};

} // namespace poseidon
