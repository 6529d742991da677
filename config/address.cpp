#include "config/address.hpp"

#include <arpa/inet.h>

namespace poseidon::config {
namespace {

constexpr std::size_t longest_socket_path = 107; // sockaddr_un.sun_path without its terminator

bool is_ip(int family, const std::string& host) {
  unsigned char binary[16];
  return inet_pton(family, host.c_str(), binary) == 1;
}

} // namespace

bool listen_address::is_local() const {
  return is_unix() || host.starts_with("127.") || host == "::1" || host.starts_with("::ffff:127.");
}

parsed<listen_address> parse_listen_address(std::string_view text) {
  auto wrong = [&](std::string_view why) {
    return parsed<listen_address>{std::nullopt, "\"" + std::string(text.substr(0, 128)) +
                                                    "\" is not an address: " + std::string(why)};
  };
  if (text.starts_with("unix:")) {
    auto path = text.substr(5);
    if (path.starts_with("//")) path.remove_prefix(2);
    if (!path.starts_with("/")) return wrong("a Unix socket needs an absolute path, like unix:/run/poseidon/api.sock");
    if (path.size() > longest_socket_path) return wrong("the path of a Unix socket has at most 107 bytes");
    return {listen_address{{}, 0, std::string(path)}, {}};
  }
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("write it like 127.0.0.1:8080, [::1]:8080 or unix:/path");
  auto port = parse_count(text.substr(colon + 1));
  if (!port || *port.value > 65535) return wrong("the port is a number from 0 (any free one) to 65535");
  std::string host(text.substr(0, colon));
  if (host == "localhost") host = "127.0.0.1";
  if (host.empty() || host == "*")
    return wrong("name the interface: 127.0.0.1, 0.0.0.0 for every IPv4 one or [::] for every one");
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (!is_ip(AF_INET6, host)) return wrong("what is in brackets is not an IPv6 address");
  } else if (!is_ip(AF_INET, host)) {
    return wrong("the host is an IPv4 address, or an IPv6 address in brackets");
  }
  return {listen_address{host, static_cast<std::uint16_t>(*port.value), {}}, {}};
}

std::string to_text(const listen_address& address) {
  if (address.is_unix()) return "unix:" + address.path;
  auto host = address.host.find(':') == std::string::npos ? address.host : "[" + address.host + "]";
  return host + ":" + std::to_string(address.port);
}

} // namespace poseidon::config
