#include "nodes/runtime/engine/create_body.hpp"

#include <arpa/inet.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace poseidon::engine {

using nlohmann::json;

namespace {

bool is_root(const std::string& user) {
  auto name = user.substr(0, user.find(':'));
  return name.empty() || name == "root" || name.find_first_not_of('0') == std::string::npos;
}

std::string runtime_of(const service_spec& service, const create_options& options) {
  return service.runtime.empty() ? options.oci_runtime : service.runtime;
}

bool is_gvisor(const service_spec& service, const create_options& options) {
  return runtime_of(service, options).find("runsc") != std::string::npos;
}

json environment(const launch_plan& plan, const service_spec& service) {
  auto all = service.environment;
  all["POSEIDON_INSTANCE"] = plan.key.instance.value;
  all["POSEIDON_CHALLENGE"] = plan.challenge;
  all["POSEIDON_USER"] = plan.user;
  all["POSEIDON_TEAM"] = plan.team;
  all["POSEIDON_URL"] = plan.url;
  if (!plan.flag.empty()) all["POSEIDON_FLAG"] = plan.flag.reveal();
  auto list = json::array();
  for (auto& [name, value] : all)
    list.push_back(name + "=" + value);
  return list;
}

json mounts(const launch_plan& plan, const service_spec& service, const create_options& options) {
  auto list = json::array();
  list.push_back(
      {{"Type", "bind"}, {"Source", options.instance_folder}, {"Target", "/run/poseidon"}, {"ReadOnly", true}});
  for (auto& volume : service.volumes)
    list.push_back({{"Type", "volume"},
                    {"Source", volume_name(options.owner, plan.key, volume.name)},
                    {"Target", volume.path},
                    {"VolumeOptions", {{"Labels", group_labels(options.owner, plan)}}}});
  return list;
}

void put_security(json& host, const service_spec& service) {
  host["Privileged"] = false;
  host["ReadonlyRootfs"] = service.read_only || service.security == security_mode::strict;
  host["CapAdd"] = service.capabilities;
  if (service.security != security_mode::docker) host["CapDrop"] = {"ALL"};
  host["SecurityOpt"] = json::array();
  if (service.no_new_privileges || service.security == security_mode::strict)
    host["SecurityOpt"].push_back("no-new-privileges:true");
}

void put_limits(json& host, const service_spec& service, const create_options& options) {
  auto& limits = service.limits;
  host["Memory"] = limits.memory_bytes;
  host["MemorySwap"] = limits.memory_bytes;
  host["NanoCpus"] = std::uint64_t(limits.cpu_millis) * 1'000'000;
  // gVisor's own threads count; below 512 it dies at start.
  host["PidsLimit"] = is_gvisor(service, options) ? std::max(limits.pids, 512u) : limits.pids;
  host["Ulimits"] = json::array({{{"Name", "core"}, {"Soft", 0}, {"Hard", 0}}});
  if (options.open_files)
    host["Ulimits"].push_back({{"Name", "nofile"}, {"Soft", options.open_files}, {"Hard", options.open_files}});
  if (limits.disk_bytes && options.disk_limits) host["StorageOpt"] = {{"size", std::to_string(limits.disk_bytes)}};
}

void put_network(json& body, json& host, const service_spec& service, const create_options& options) {
  if (!options.network.empty()) {
    host["NetworkMode"] = options.network;
    // Services of a group find each other by name.
    body["NetworkingConfig"] = {{"EndpointsConfig", {{options.network, {{"Aliases", {service.name}}}}}}};
  } else if (!options.joins.empty()) {
    host["NetworkMode"] = "container:" + options.joins;
  } else {
    // Both spellings: Docker is fast only with the first, Podman ignores it; gVisor knows the second alone.
    host["NetworkMode"] = "none";
    if (!is_gvisor(service, options)) body["NetworkDisabled"] = true;
  }
}

json tmpfs(const service_spec& service) {
  auto all = json::object();
  for (auto& entry : service.tmpfs) {
    auto colon = entry.find(':');
    all[entry.substr(0, colon)] = colon == std::string::npos ? "" : entry.substr(colon + 1);
  }
  return all;
}

} // namespace

bool needs_image_user(const service_spec& service) {
  return service.security == security_mode::strict && service.user.empty();
}

outcome<std::string> create_body(const launch_plan& plan, std::size_t index, const create_options& options) {
  auto& service = plan.spec->services.at(index);
  auto user = service.user;
  if (service.security == security_mode::strict) {
    if (!user.empty() && is_root(user))
      return failure{errc::invalid_spec,
                     "service " + service.name + ": security strict does not go with user " + user,
                     {},
                     {},
                     {}};
    if (user.empty() && is_root(options.image_user)) user = "65534:65534";
  }
  json host = {
      {"AutoRemove", false},
      {"RestartPolicy", {{"Name", "no"}}},
      {"PublishAllPorts", false},
      {"LogConfig",
       {{"Type", "json-file"}, {"Config", {{"max-size", std::to_string(options.log_bytes)}, {"max-file", "1"}}}}},
      {"Mounts", mounts(plan, service, options)},
      {"Tmpfs", tmpfs(service)},
      {"Init", service.init}};
  json body = {{"Image", service.image},
               {"Env", environment(plan, service)},
               {"Labels", container_labels(options.owner, plan, index)},
               {"AttachStdout", false},
               {"AttachStderr", false}};
  if (!service.command.empty()) body["Cmd"] = service.command;
  if (!user.empty()) body["User"] = user;
  if (!service.stop_signal.empty()) body["StopSignal"] = service.stop_signal;
  // Each run of an image's health check costs more than an instance does; only who asks for it gets it.
  if (service.health.kind != health_kind::image) body["Healthcheck"] = {{"Test", {"NONE"}}};
  if (auto runtime = runtime_of(service, options); !runtime.empty()) host["Runtime"] = runtime;
  put_security(host, service);
  put_limits(host, service, options);
  put_network(body, host, service, options);
  body["HostConfig"] = std::move(host);
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string network_body(const launch_plan& plan, const identity& owner, const std::string& subnet) {
  auto name = group_name(owner, plan.key);
  json body = {{"Name", name},
               {"CheckDuplicate", true},
               {"Driver", "bridge"},
               {"Internal", plan.spec->network == network_mode::bridge},
               {"Labels", group_labels(owner, plan)},
               // A name that firewall rules can match; an interface's may have 15 characters.
               {"Options", {{"com.docker.network.bridge.name", "psd" + name.substr(9, 12)}}}};
  if (!subnet.empty()) body["IPAM"] = {{"Driver", "default"}, {"Config", {{{"Subnet", subnet}}}}};
  return body.dump();
}

std::string subnet_of(const std::string& pool, std::uint32_t n) {
  auto slash = pool.find('/');
  if (slash == std::string::npos) return {};
  in_addr base{};
  unsigned bits = 0;
  auto* end = pool.data() + pool.size();
  auto [rest, error] = std::from_chars(pool.data() + slash + 1, end, bits);
  if (error != std::errc() || rest != end || bits > 28 || bits < 8) return {};
  if (inet_pton(AF_INET, pool.substr(0, slash).c_str(), &base) != 1) return {};
  if (n >= (1u << (28 - bits))) return {};
  in_addr subnet{htonl((ntohl(base.s_addr) & ~((1u << (32 - bits)) - 1)) + (n << 4))};
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &subnet, text, sizeof text);
  return std::string(text) + "/28";
}

std::string instance_file(const launch_plan& plan) {
  json file = {{"instance", plan.key.instance.value},
               {"challenge", plan.challenge},
               {"user", plan.user},
               {"team", plan.team.empty() ? json(nullptr) : json(plan.team)},
               {"url", plan.url},
               {"host", plan.host},
               {"created_at", to_rfc3339(plan.created_at)},
               {"expires_at", plan.expires_at ? json(to_rfc3339(*plan.expires_at)) : json(nullptr)}};
  return file.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace poseidon::engine
