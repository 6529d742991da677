#pragma once

#include <string>
#include <string_view>

namespace poseidon {

/// Tells systemd about us (sd_notify's protocol: a datagram to NOTIFY_SOCKET); does nothing when `socket_path` is empty.
/// State is for example "READY=1" or "STOPPING=1". Returns false when the datagram could not be sent.
bool notify_service_manager(const std::string& socket_path, std::string_view state);

} // namespace poseidon
