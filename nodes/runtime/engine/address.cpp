#include "nodes/runtime/engine/address.hpp"

#include <algorithm>
#include <cstdio>

namespace poseidon::engine {

namespace {

failure unusable(std::string why) { return {errc::engine_unavailable, std::move(why), {}, {}, {}}; }

std::optional<api_version> parse_version(const std::string& text) {
  api_version version;
  int used = 0;
  if (std::sscanf(text.c_str(), "%u.%u%n", &version.major, &version.minor, &used) != 2) return std::nullopt;
  if (used != static_cast<int>(text.size())) return std::nullopt;
  return version;
}

} // namespace

outcome<std::string> socket_path(const std::string& address) {
  if (address.starts_with("unix://")) {
    auto path = address.substr(7);
    if (path.empty() || path.front() != '/')
      return unusable("engine " + address + ": the path of a unix:// address begins with /");
    if (path.size() > 107) return unusable("engine " + address + ": a socket's path may have 107 bytes");
    return path;
  }
  if (address.starts_with("/")) return socket_path("unix://" + address);
  if (address.starts_with("tcp://") || address.starts_with("http://") || address.starts_with("https://") ||
      address.starts_with("ssh://"))
    return unusable("engine " + address +
                    ": an engine elsewhere can't be used, since instances are reached inside their network "
                    "namespaces on this machine; run a Poseidon node beside that engine and give it unix:///…");
  return unusable("engine " + address + ": not a unix:// address");
}

std::string to_string(api_version version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

outcome<api_version> negotiate(const std::string& engine_newest, const std::string& engine_oldest) {
  auto newest = parse_version(engine_newest);
  if (!newest)
    return unusable("the engine's API version \"" + engine_newest + "\" can't be read: is this a Docker Engine?");
  auto oldest = parse_version(engine_oldest).value_or(oldest_known);
  auto common = std::min(*newest, newest_known);
  if (common < std::max(oldest, oldest_known))
    return unusable("the engine speaks API " + to_string(oldest) + " to " + to_string(*newest) + ", Poseidon " +
                    to_string(oldest_known) + " to " + to_string(newest_known));
  return common;
}

std::string url_encode(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += digits[byte >> 4];
      encoded += digits[byte & 15];
    }
  }
  return encoded;
}

} // namespace poseidon::engine
