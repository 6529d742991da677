// Rules for single values that a range can't express; and what no setting can judge by itself: contradictions
// (problems) and what is probably not meant (warnings).

#include "config/settings_rows.hpp"

#include <algorithm>
#include <functional>

namespace poseidon::config {
namespace {

/// The host of "http://host:port" or of "{label}.domain:port"; lower case is assumed.
std::string host_of(std::string_view url) {
  if (auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  return std::string(url.substr(0, url.find_first_of(":/")));
}

std::string instance_domain(const edge_settings& edge) {
  return host_pattern(edge).substr(std::string_view("{label}.").size());
}

bool all_local(const std::vector<listen_address>& addresses) {
  return std::ranges::all_of(addresses, [](auto& a) { return a.is_local(); });
}

void warn(const settings& s, std::vector<std::string>& warnings) {
  auto domain = instance_domain(s.edge);
  bool local_names = domain == "localhost" || domain.ends_with(".localhost");
  if (s.has(role::edge) && local_names && !all_local(s.edge.listen))
    warnings.push_back("edge.listen is open to other machines, but names under " + domain +
                       " mean the visitor's own machine: set edge.domain to a name that leads here, like ctf.example "
                       "or 203-0-113-7.sslip.io");
  auto api_host = host_of(s.api.public_url);
  if (!api_host.empty() && (api_host == domain || api_host.ends_with("." + domain)))
    warnings.push_back("api.public_url is " + api_host + ", under the domain of the instances (" + domain +
                       "): a challenge could set and read its cookies; give the API a name elsewhere");
  if (s.has(role::gateway) && !all_local(s.api.listen) && !s.api.public_url.starts_with("https://"))
    warnings.push_back(
        "api.listen is open to other machines without TLS: keys travel readable; put a TLS proxy in front and set "
        "api.public_url to its https address");
}

/// The host of "nats://host:port", an IPv6 address without its brackets.
std::string nats_host(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  if (url.starts_with('[')) return std::string(url.substr(1, url.find(']') - 1));
  return std::string(url.substr(0, url.find(':')));
}

void check_nats(const nats_settings& nats, const std::function<void(std::string, std::string)>& conflict) {
  if (nats.replicas % 2 == 0) conflict("nats.replicas", "is 1, 3 or 5: an even number survives no more than the odd one below it");
  if (!nats.credentials.empty() && !nats.user.empty()) conflict("nats.user", "nats.credentials names a user already");
  if (!nats.nkey.empty() && (!nats.credentials.empty() || !nats.user.empty())) conflict("nats.nkey", "nats.credentials or nats.user names a user already");
  for (const auto& url : nats.urls) {
    const auto host = nats_host(url);
    if (host == "localhost" || listen_address{.host = host, .port = 0, .path = {}}.is_local()) continue;
    if (!url.starts_with("tls://"))
      conflict("nats.urls", url + " leads to another machine in the clear: use tls://, and nats.ca where its certificate is your own");
    else if (nats.credentials.empty() && nats.nkey.empty() && nats.user.empty())
      conflict("nats.urls", url + " leads to another machine: name credentials (nats.nkey, nats.credentials, or nats.user and nats.password); poseidon cluster init --server-config makes them");
  }
}

void check_notify(const settings& s, const std::function<void(std::string, std::string)>& conflict) {
  const auto& receivers = s.notify.receivers;
  for (std::size_t i = 0; i < receivers.size(); ++i)
    for (std::size_t other = 0; other < i; ++other)
      if (receivers[i].name == receivers[other].name) return conflict("notify.receivers", receivers[i].name + " is named twice; each needs a name of its own");
  const auto& members = s.notify.members;
  if (s.has(role::notifier) && !members.empty() && std::ranges::count(members, s.node) != 1)
    conflict("notify.members", "names this process (" + s.node + ") once, and every other notifier that shares the work");
}

} // namespace

std::optional<std::string> check_nats_url(const std::string& url) {
  const auto start = url.starts_with("nats://") ? 7u : url.starts_with("tls://") ? 6u : 0u;
  if (start == 0 || url.size() <= start || url.find_first_of("/?# ", start) != std::string::npos)
    return "\"" + url + "\" is not an address like nats://127.0.0.1:4222 or tls://nats.example:4222";
  if (url.find('@') != std::string::npos) return "holds a user: name it in nats.user and nats.password, or nats.credentials";
  return std::nullopt;
}

std::optional<std::string> check_data(const std::string& dir) {
  if (dir.empty()) return "name a directory";
  return std::nullopt;
}

/// Names that go into labels, container names and host names.
std::optional<std::string> check_name(const std::string& name) {
  auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  bool fine = !name.empty() && name.size() <= 64 && plain(name.front()) &&
              std::ranges::all_of(name, [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
  if (fine) return std::nullopt;
  return "\"" + name +
         "\" is not a name: 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first";
}

bool is_label_part(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == '/';
  });
}

std::optional<std::string> check_label(const std::string& label) {
  const auto equals = label.find('=');
  if (equals != std::string::npos && is_label_part(std::string_view(label).substr(0, equals)) &&
      is_label_part(std::string_view(label).substr(equals + 1)))
    return std::nullopt;
  return "\"" + label +
         "\" is not a label, like gpu=yes: name and value are 1 to 63 letters, digits, dots, dashes, underscores and slashes";
}

std::optional<std::string> check_engine(const std::string& address) {
  if (address.starts_with("unix:///")) return std::nullopt;
  if (address.starts_with("tcp://") || address.starts_with("http"))
    return "an engine over TCP is refused: containers are reached through this machine's namespaces; give its Unix "
           "socket, "
           "like unix:///var/run/docker.sock";
  return "\"" + address + "\" is not an engine: give its Unix socket, like unix:///var/run/docker.sock";
}

std::optional<std::string> check_domain(const std::string& domain) {
  bool fine = !domain.empty() && domain.size() <= 200 && domain.front() != '.' && domain.back() != '.' &&
              domain.find("..") == std::string::npos && std::ranges::all_of(domain, [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
              });
  if (fine) return std::nullopt;
  return "\"" + domain + "\" is not a domain: lower-case letters, digits, dashes and dots, like ctf.example";
}

/// "host:port" of an edge, as other machines reach it; empty is fine.
std::optional<std::string> check_relay(const std::string& address) {
  if (address.empty()) return std::nullopt;
  const auto colon = address.rfind(':');
  const bool plain = colon != std::string::npos && colon > 0 && address.find_first_of("/@ ?#") == std::string::npos;
  const auto port = plain ? parse_count(address.substr(colon + 1)) : parsed<std::uint64_t>{std::nullopt, "no port"};
  if (plain && port && *port.value > 0 && *port.value <= 65535) return std::nullopt;
  return "\"" + address + "\" is not an address like edge1.example:7443 or 10.0.0.5:7443";
}

/// "https://host[:port]" without anything after it; empty is fine.
std::optional<std::string> check_origin(const std::string& url) {
  if (url.empty()) return std::nullopt;
  auto start = url.starts_with("https://") ? 8u : url.starts_with("http://") ? 7u : 0u;
  if (start != 0 && url.size() > start && url.find_first_of("/?# ", start) == std::string::npos) return std::nullopt;
  return "\"" + url + "\" is not an address like https://poseidon.example or http://127.0.0.1:8080, without a path";
}

std::optional<std::string> check_cors(const std::string& origin) {
  return origin == "*" ? std::nullopt : check_origin(origin);
}

std::optional<std::string> check_public_url(const std::string& url) {
  if (url.empty()) return std::nullopt;
  auto start = url.find("://");
  if (check_origin(url) || url.find("{label}.") != start + 3 || url.find("{label}", start + 4) != std::string::npos)
    return "\"" + url +
           "\" does not fit: write it like https://{label}.ctf.example, with {label} as the first part of the host and "
           "no path";
  return std::nullopt;
}

std::map<std::string, std::string> labels_of(const settings& values) {
  std::map<std::string, std::string> labels;
  for (auto& label : values.labels) {
    const auto equals = std::min(label.find('='), label.size());
    labels[label.substr(0, equals)] = equals == label.size() ? std::string{} : label.substr(equals + 1);
  }
  return labels;
}

std::string host_pattern(const edge_settings& edge) {
  return edge.public_url.empty() ? "{label}." + edge.domain : host_of(edge.public_url);
}

void check_together(const settings& s, std::vector<setting_conflict>& conflicts, std::vector<std::string>& warnings) {
  auto conflict = [&](std::string name, std::string detail) {
    conflicts.push_back({std::move(name), std::move(detail)});
  };
  if (s.roles.empty()) conflict("roles", "name at least one of gateway, node, edge, notifier");
  for (auto r : s.roles)
    if (std::ranges::count(s.roles, r) > 1) {
      conflict("roles", std::string(to_string(r)) + " is named twice");
      break;
    }
  if (labels_of(s).size() != s.labels.size()) conflict("labels", "one name is given twice");
  if (s.has(role::gateway) && s.api.listen.empty())
    conflict("api.listen", "the role gateway needs at least one address");
  if (s.has(role::edge) && s.edge.listen.empty()) conflict("edge.listen", "the role edge needs at least one address");
  for (auto& address : s.edge.relay_listen) {
    if (address.is_unix()) conflict("edge.relay_listen", "other machines can't reach a Unix socket");
    else if (s.edge.relay_advertise.empty() && (address.host == "0.0.0.0" || address.host == "::"))
      conflict("edge.relay_advertise", "say under which address other machines reach " + to_text(address));
  }
  if (s.placement.cpu.value + s.placement.memory.value + s.placement.containers.value == 0)
    conflict("placement.cpu", "at least one of placement.cpu, placement.memory, placement.containers is above 0%");
  if (s.reaper.window < s.runtime.request_timeout)
    conflict("reaper.window", to_text(s.reaper.window) + " is less than runtime.request_timeout (" +
                                  to_text(s.runtime.request_timeout) + "): what is being made would be reaped");
  if (s.edge.connections_per_source > s.edge.connections)
    conflict("edge.connections_per_source", "is above edge.connections (" + std::to_string(s.edge.connections) + ")");
  check_nats(s.nats, conflict);
  check_notify(s, conflict);
  if (s.membership.lost_after < s.membership.suspect_after * 2)
    conflict("membership.lost_after", "is at least twice membership.suspect_after, so that nothing is lost for a hiccup");
  warn(s, warnings);
}

} // namespace poseidon::config
