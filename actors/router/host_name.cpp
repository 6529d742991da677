#include "actors/router/host_name.hpp"

#include <algorithm>

namespace poseidon {
namespace {

constexpr std::size_t host_bytes_max = 253;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '.' || c == '_';
}
bool is_address_char(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.'; }

bool valid_port(std::string_view text) {
  if (text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  unsigned port = 0;
  for (const char c : text) port = port * 10 + static_cast<unsigned>(c - '0');
  return port <= 65535;
}

} // namespace

std::optional<std::string> normal_host(std::string_view value) {
  std::string_view name, port;
  if (value.starts_with('[')) {
    const auto end = value.find(']');
    if (end == std::string_view::npos || end < 3) return std::nullopt;
    name = value.substr(0, end + 1);
    if (!std::all_of(name.begin() + 1, name.end() - 1, is_address_char)) return std::nullopt;
    port = value.substr(end + 1);
  } else {
    const auto end = std::min(value.find(':'), value.size());
    name = value.substr(0, end);
    port = value.substr(end);
    if (!std::all_of(name.begin(), name.end(), is_name_char)) return std::nullopt;
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.starts_with('.') || name.ends_with('.') || name.find("..") != std::string_view::npos) return std::nullopt;
  }
  if (!port.empty() && (port[0] != ':' || !valid_port(port.substr(1)))) return std::nullopt;
  if (name.empty() || name.size() > host_bytes_max) return std::nullopt;
  std::string host{name};
  for (auto& c : host)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return host;
}

} // namespace poseidon
