#include "nodes/host/service_manager.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace poseidon {

namespace {

std::optional<std::int64_t> number_at(const std::map<std::string, std::string>& environment, const char* name) {
  const auto found = environment.find(name);
  if (found == environment.end()) return std::nullopt;
  std::int64_t value = 0;
  const auto& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value > 0 ? std::optional{value} : std::nullopt;
}

} // namespace

std::optional<millis> watchdog_period(const std::map<std::string, std::string>& environment, std::int64_t pid) {
  const auto microseconds = number_at(environment, "WATCHDOG_USEC");
  if (!microseconds) return std::nullopt;
  if (environment.contains("WATCHDOG_PID") && number_at(environment, "WATCHDOG_PID") != pid) return std::nullopt;
  return std::max(millis{*microseconds / 2000}, millis{1});
}

bool notify_service_manager(const std::string& socket_path, std::string_view state) {
  if (socket_path.empty()) return true;
  sockaddr_un address{};
  if (socket_path.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0'; // abstract namespace
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_path.size());
  const bool sent = ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length) ==
                    static_cast<ssize_t>(state.size());
  ::close(fd);
  return sent;
}

} // namespace poseidon
