// Reads the INFO line of servers: the NATS client names no server's version.

#include "actors/log/jetstream/jetstream_log.hpp"
#include "actors/log/jetstream/server_version.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace poseidon {
namespace {

constexpr int connect_ms = 1'000, read_ms = 1'000;
constexpr std::size_t longest_line = 64u << 10, most_servers = 32;

struct descriptor {
  int fd = -1;
  ~descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

bool ready(int fd, short events, int limit_ms) {
  pollfd wanted{fd, events, 0};
  int got = 0;
  do got = ::poll(&wanted, 1, limit_ms);
  while (got < 0 && errno == EINTR);
  return got == 1;
}

/// 0, or why not.
int connect_within(int fd, const addrinfo& to) {
  if (::connect(fd, to.ai_addr, to.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!ready(fd, POLLOUT, connect_ms)) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

/// "nats://user:pass@host:port" -> host, port.
std::pair<std::string, std::string> address_of(std::string url) {
  if (const auto scheme = url.find("://"); scheme != std::string::npos) url.erase(0, scheme + 3);
  if (const auto user = url.rfind('@'); user != std::string::npos) url.erase(0, user + 1);
  const auto colon = url.rfind(':');
  const bool has_port = colon != std::string::npos && url.find(']', colon) == std::string::npos;
  auto host = url.substr(0, has_port ? colon : std::string::npos);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return {host, has_port ? url.substr(colon + 1) : "4222"};
}

struct greeting {
  std::optional<std::string> line; ///< the first that the server sends; nothing when it can't be reached
  bool refused = false;            ///< because nobody listens there
};

greeting greeting_of(const std::string& url) {
  const auto [host, port] = address_of(url);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all{found, &::freeaddrinfo};
  bool refused = true;
  for (const auto* at = found; at; at = at->ai_next) {
    const descriptor socket{::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const auto error = socket.fd < 0 ? errno : connect_within(socket.fd, *at);
    refused = refused && error == ECONNREFUSED;
    if (error != 0) continue;
    std::string line;
    char buffer[4096];
    while (line.find('\n') == std::string::npos && line.size() < longest_line && ready(socket.fd, POLLIN, read_ms)) {
      const auto got = ::recv(socket.fd, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      line.append(buffer, static_cast<std::size_t>(got));
    }
    return {line.substr(0, line.find('\r')), false};
  }
  return {std::nullopt, refused};
}

failure look_at(const jetstream_options& options, std::vector<std::string>& urls, bool& all_refuse) {
  for (std::size_t i = 0; i < urls.size() && i < most_servers; ++i) {
    const auto said = greeting_of(urls[i]);
    all_refuse = all_refuse && said.refused;
    if (!said.line) continue; // it is asked again when it answers
    const auto info = parse_info_line(*said.line);
    if (!info) return {info.error.code, urls[i] + ": " + info.error.detail, {}, {}, {}};
    if (auto refused = judge_server(urls[i], *info, options.replicas)) return refused;
    for (const auto& other : info->others)
      if (std::ranges::find(urls, other) == urls.end()) urls.push_back(other);
  }
  return {};
}

} // namespace

failure check_servers(const jetstream_options& options) {
  auto urls = options.urls;
  if (options.presence)
    for (const auto& known : options.presence->known())
      if (std::ranges::find(urls, known) == urls.end()) urls.push_back(known);
  bool all_refuse = true;
  auto refused = look_at(options, urls, all_refuse);
  if (options.presence) options.presence->looked(urls, all_refuse);
  return refused;
}

} // namespace poseidon
