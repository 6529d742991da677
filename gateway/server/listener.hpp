#pragma once
// Listening sockets. Only server/*.cpp includes this.

#include "gateway/server/session.hpp"

#include <memory>

namespace poseidon::gateway {

/// Accepts until closed; on its thread.
class listener {
public:
  virtual ~listener() = default;
  virtual void start() = 0;
  virtual void close() = 0;
};

/// What "host:port" or "unix:/path" means. Throws std::runtime_error with the reason.
struct listen_target {
  bool unix_socket = false;
  std::string path;
  std::string host;
  std::uint16_t port = 0;
};
listen_target parse_listen(const std::string& text);

/// A TCP listener for each thread on one address and port (port 0: the first picks). Fails when another process
/// listens there, although SO_REUSEPORT alone would share it.
std::vector<std::unique_ptr<listener>> listen_tcp(const listen_target& target, const std::vector<std::shared_ptr<io_thread>>& threads,
                                                  bound_address& bound);
/// One Unix listener on the first thread that deals connections out. A stale socket file is replaced, a live one is not.
std::unique_ptr<listener> listen_unix(const listen_target& target, unsigned mode, const std::vector<std::shared_ptr<io_thread>>& threads,
                                      bound_address& bound);

} // namespace poseidon::gateway
