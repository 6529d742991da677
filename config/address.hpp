#pragma once
// Where a process listens: an IP address and port, or a Unix socket.

#include "config/units.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace poseidon::config {

/// One address to listen on. `path` is set for a Unix socket, else `host` and `port` are.
struct listen_address {
  std::string host;       ///< IPv4 or IPv6 address, without brackets
  std::uint16_t port = 0; ///< 0: any free one
  std::string path;       ///< absolute path of a Unix socket
  bool is_unix() const { return !path.empty(); }
  /// True when only this machine can connect.
  bool is_local() const;
  friend bool operator==(const listen_address&, const listen_address&) = default;
};

/// "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (IPv4 loopback), "unix:/run/poseidon/api.sock".
parsed<listen_address> parse_listen_address(std::string_view text);
/// The spelling that parse_listen_address reads back.
std::string to_text(const listen_address& address);

} // namespace poseidon::config
