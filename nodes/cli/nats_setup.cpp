#include "nodes/cli/nats_setup.hpp"

#include "config/nats_server_file.hpp"
#include "config/settings_load.hpp"
#include "messages/json.hpp"
#include "messages/nkey.hpp"
#include "nodes/host/data_folder.hpp"

#include <algorithm>
#include <filesystem>

namespace poseidon::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* usual_port = "4222";
constexpr int port_between_servers = 6222;

std::string file_in(const std::string& data) { return data + "/nats-authority.json"; }

failure damaged(const std::string& file) { return {errc::invalid_field, file + " is damaged; restore it from a backup, or move it away to begin anew", {}, {}, {}}; }

/// Of "tls://host:port"; an IPv6 address without its brackets.
struct server_address {
  std::string host, port;
};
server_address address_of(std::string url) {
  url.erase(0, url.find("://") + 3);
  const auto bracket = url.rfind(']'), colon = url.rfind(':');
  const bool has_port = colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  server_address found{url.substr(0, has_port ? colon : std::string::npos), has_port ? url.substr(colon + 1) : usual_port};
  if (found.host.starts_with('[')) found.host = found.host.substr(1, found.host.size() - 2);
  return found;
}

std::string in_brackets(const std::string& host) { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

/// Where a server that clients call `host` listens: everywhere, for `host` may be a name or a translated address.
std::string listen_on(const std::string& host, const std::string& port) { return (is_loopback(host) ? in_brackets(host) : "0.0.0.0") + ":" + port; }

outcome<secret> take(const nlohmann::json& from, const char* name, const std::string& file) {
  const auto found = from.find(name);
  if (found == from.end() || !found->is_string()) return damaged(file);
  return secret{found->get<std::string>()};
}

outcome<nats_authority> parse(const std::string& text, const std::string& file) {
  const auto read = parse_json(text, 4);
  if (!read || !read->is_object()) return damaged(file);
  nats_authority found;
  const auto certificate = take(*read, "ca", file), key = take(*read, "ca_key", file), member = take(*read, "member", file),
             follower = take(*read, "follower", file);
  for (const auto* each : {&certificate, &key, &member, &follower})
    if (!*each) return each->error;
  return nats_authority{{certificate->reveal(), *key}, *member, *follower};
}

failure write_server(const nats_authority& authority, const config::nats_server_plan& plan, const std::string& host) {
  std::vector<std::string> hosts{host};
  if (is_loopback(host))
    for (const char* other : {"localhost", "127.0.0.1", "::1"})
      if (host != other) hosts.emplace_back(other);
  const auto certified = make_server_certificate(authority.signer, hosts);
  if (!certified) return certified.error;
  std::error_code error;
  fs::create_directories(plan.folder, error);
  if (error) return {errc::internal, "cannot make " + plan.folder + ": " + error.message(), {}, {}, {}};
  fs::permissions(plan.folder, fs::perms::owner_all, error);
  if (auto failed = write_file(plan.folder + "/ca.pem", 0644, authority.signer.certificate)) return failed;
  if (auto failed = write_file(plan.folder + "/server.pem", 0644, certified->certificate)) return failed;
  if (auto failed = write_file(plan.folder + "/server-key.pem", 0600, certified->key.reveal())) return failed;
  return write_file(plan.folder + "/nats-server.conf", 0600, nats_server_file(plan));
}

} // namespace

outcome<std::optional<nats_authority>> read_nats_authority(const std::string& data) {
  std::error_code error;
  if (!fs::exists(file_in(data), error)) return std::optional<nats_authority>{};
  const auto text = config::read_settings_file(file_in(data));
  if (!text) return text.error;
  auto found = parse(*text, file_in(data));
  if (!found) return found.error;
  return std::optional{std::move(*found)};
}

outcome<nats_authority> read_or_make_nats_authority(const std::string& data, const std::string& cluster) {
  auto found = read_nats_authority(data);
  if (!found) return found.error;
  if (*found) return std::move(**found);
  auto signer = make_authority(cluster);
  if (!signer) return signer.error;
  nats_authority made{std::move(*signer), make_nkey_seed(system_random()), make_nkey_seed(system_random())};
  const nlohmann::json body{{"ca", made.signer.certificate},
                            {"ca_key", made.signer.key.reveal()},
                            {"member", made.member.reveal()},
                            {"follower", made.follower.reveal()}};
  if (auto failed = write_secret(file_in(data), secret{dump_json(body)})) return failed;
  return made;
}

outcome<std::vector<std::string>> write_server_files(const nats_authority& authority, const std::string& cluster, const std::vector<std::string>& urls,
                                                     const std::string& folder) {
  const auto member = public_nkey(authority.member.reveal()), follower = public_nkey(authority.follower.reveal());
  if (!member) return member.error;
  if (!follower) return follower.error;
  const auto base = fs::absolute(folder).lexically_normal().string();
  std::vector<server_address> servers;
  for (const auto& url : urls) servers.push_back(address_of(url));
  const auto between = [&](std::size_t i) { // several on one machine: ports of their own
    const auto same = std::ranges::count(servers.begin(), servers.begin() + static_cast<std::ptrdiff_t>(i), servers[i].host, &server_address::host);
    return std::to_string(port_between_servers + same);
  };
  std::vector<std::string> written;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    config::nats_server_plan plan;
    plan.name = "poseidon-" + std::to_string(i + 1);
    plan.listen = listen_on(servers[i].host, servers[i].port);
    plan.folder = servers.size() == 1 ? base : base + "/" + std::to_string(i + 1);
    plan.cluster = cluster;
    plan.member = *member;
    plan.follower = *follower;
    if (servers.size() > 1) {
      plan.cluster_listen = listen_on(servers[i].host, between(i));
      for (std::size_t other = 0; other < servers.size(); ++other) plan.routes.push_back(in_brackets(servers[other].host) + ":" + between(other));
    }
    if (auto failed = write_server(authority, plan, servers[i].host)) return failed;
    written.push_back(plan.folder);
  }
  return written;
}

std::uint32_t usual_replicas(std::size_t servers) { return servers >= 5 ? 5 : servers >= 3 ? 3 : 1; }

bool only_follow(const std::vector<std::string>& roles) {
  return !roles.empty() && std::ranges::all_of(roles, [](const std::string& role) { return role == "edge" || role == "notifier"; });
}

} // namespace poseidon::cli
