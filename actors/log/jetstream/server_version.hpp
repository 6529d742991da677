#pragma once
// Which servers may carry the log: read from the INFO line with which every NATS server begins. Pure.

#include "messages/errors.hpp"

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace poseidon {

struct server_version {
  std::uint32_t major = 0, minor = 0, patch = 0;
  friend auto operator<=>(const server_version&, const server_version&) = default;
};
std::string to_string(const server_version& version);

/// The oldest that replicates a stream without losing what it acknowledged.
inline constexpr server_version oldest_for_replicas{2, 10, 23};
/// The oldest that carries a stream of one replica.
inline constexpr server_version oldest_known{2, 9, 0};

/// What an INFO line says.
struct server_info {
  server_version version;
  bool jetstream = false;
  std::vector<std::string> others; ///< host:port of the cluster's servers
};

/// Reads "2.10.27", "2.11.0-RC.1"; nothing when it is none.
std::optional<server_version> parse_version(std::string_view text);
/// Reads the line `INFO {…}`.
outcome<server_info> parse_info_line(std::string_view line);

/// Why a server at `url` may not carry the log with so many replicas; no failure: it may.
failure judge_server(const std::string& url, const server_info& info, std::uint32_t replicas);

} // namespace poseidon
