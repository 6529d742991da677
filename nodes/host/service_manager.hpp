#pragma once

#include "messages/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace poseidon {

/// Tells systemd about us (sd_notify's protocol: a datagram to NOTIFY_SOCKET); does nothing when `socket_path` is empty.
/// State is for example "READY=1" or "STOPPING=1". Returns false when the datagram could not be sent.
bool notify_service_manager(const std::string& socket_path, std::string_view state);

/// How often "WATCHDOG=1" is due: half of what the service manager waits (WATCHDOG_USEC), when it waits for the process `pid`.
std::optional<millis> watchdog_period(const std::map<std::string, std::string>& environment, std::int64_t pid);

} // namespace poseidon
