#pragma once
// Where an engine is, and which API version both sides know. Pure.

#include "messages/errors.hpp"

#include <string>

namespace poseidon::engine {

/// The socket's path of "unix:///run/docker.sock" (or a bare path); engine_unavailable with the reason for tcp://,
/// ssh:// and anything else.
outcome<std::string> socket_path(const std::string& address);

/// An API version, "1.41".
struct api_version {
  unsigned major = 0, minor = 0;
  friend auto operator<=>(const api_version&, const api_version&) = default;
};
std::string to_string(api_version version);

/// Oldest and newest that this client speaks.
inline constexpr api_version oldest_known{1, 24}, newest_known{1, 45};

/// The highest version that both know, of the engine's newest ("Api-Version" of /_ping) and oldest ("MinAPIVersion",
/// may be empty); engine_unavailable when there is none.
outcome<api_version> negotiate(const std::string& engine_newest, const std::string& engine_oldest);

/// Percent-encodes a query's value.
std::string url_encode(std::string_view text);

} // namespace poseidon::engine
