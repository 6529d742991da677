#include "nodes/runtime/engine/replies.hpp"

#include "nodes/runtime/engine/image_reference.hpp"
#include "nodes/runtime/engine/names.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace poseidon::engine {

using nlohmann::json;

namespace {

/// The member, or null when there is none: lookups can be chained through what is missing.
const json& at(const json& object, const char* name) {
  static const json missing;
  if (!object.is_object()) return missing;
  auto found = object.find(name);
  return found == object.end() ? missing : *found;
}

std::string text(const json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }
bool flag(const json& value) { return value.is_boolean() && value.get<bool>(); }
template <class T> T number(const json& value) { return value.is_number() ? value.get<T>() : T{}; }

std::map<std::string, std::string> string_map(const json& value) {
  std::map<std::string, std::string> all;
  if (value.is_object())
    for (auto& [name, entry] : value.items())
      if (entry.is_string()) all[name] = entry.get<std::string>();
  return all;
}

std::string without_slash(std::string name) {
  if (!name.empty() && name.front() == '/') name.erase(0, 1);
  return name;
}

std::vector<std::uint16_t> tcp_ports(const json& exposed) {
  std::vector<std::uint16_t> ports;
  if (!exposed.is_object()) return ports;
  for (auto& [name, unused] : exposed.items()) {
    std::uint16_t port = 0;
    auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), port);
    auto protocol = std::string_view(rest, std::size_t(name.data() + name.size() - rest));
    if (error == std::errc() && (protocol == "/tcp" || protocol.empty())) ports.push_back(port);
  }
  std::sort(ports.begin(), ports.end());
  return ports;
}

std::int64_t unix_ms(const json& created) {
  if (created.is_number()) return created.get<std::int64_t>() * 1000;
  // Networks and volumes spell nanoseconds, or an offset: the shared reader takes both.
  auto parsed = from_rfc3339(text(created));
  return parsed ? parsed->ms : 0;
}

template <class Row> std::optional<std::vector<listed_object>> list_of(const json& array, Row row) {
  if (array.is_null()) return std::vector<listed_object>{};
  if (!array.is_array()) return std::nullopt;
  std::vector<listed_object> all;
  for (auto& entry : array) {
    all.push_back(row(entry));
    all.back().labels = string_map(at(entry, "Labels"));
  }
  return all;
}

json parse(const std::string& body) { return json::parse(body, nullptr, false); }

} // namespace

std::optional<container_info> parse_container(const std::string& body) {
  auto whole = parse(body);
  auto &state = at(whole, "State"), &config = at(whole, "Config");
  if (!state.is_object() || text(at(whole, "Id")).empty()) return std::nullopt;
  container_info container;
  container.id = text(at(whole, "Id"));
  container.name = without_slash(text(at(whole, "Name")));
  container.status = text(at(state, "Status"));
  container.running = flag(at(state, "Running"));
  container.pid = number<std::int32_t>(at(state, "Pid"));
  container.exit_code = number<std::int32_t>(at(state, "ExitCode"));
  container.out_of_memory = flag(at(state, "OOMKilled"));
  container.error = text(at(state, "Error"));
  container.network_mode = text(at(at(whole, "HostConfig"), "NetworkMode"));
  container.health = text(at(at(state, "Health"), "Status"));
  container.image = text(at(config, "Image"));
  container.stop_signal = text(at(config, "StopSignal"));
  container.labels = string_map(at(config, "Labels"));
  container.exposed = tcp_ports(at(config, "ExposedPorts"));
  auto& test = at(at(config, "Healthcheck"), "Test");
  container.image_health = test.is_array() && !test.empty() && test.front() != "NONE";
  return container;
}

std::optional<std::vector<listed_object>> parse_container_list(const std::string& body) {
  return list_of(parse(body), [](const json& entry) {
    listed_object row;
    row.id = text(at(entry, "Id"));
    row.state = text(at(entry, "State"));
    auto& names = at(entry, "Names");
    if (names.is_array() && !names.empty()) row.name = without_slash(text(names.front()));
    row.created_unix_ms = unix_ms(at(entry, "Created"));
    return row;
  });
}

std::optional<std::vector<listed_object>> parse_network_list(const std::string& body) {
  return list_of(parse(body), [](const json& entry) {
    listed_object row;
    row.id = text(at(entry, "Id"));
    row.name = text(at(entry, "Name"));
    row.created_unix_ms = unix_ms(at(entry, "Created"));
    return row;
  });
}

std::optional<std::vector<listed_object>> parse_volume_list(const std::string& body) {
  auto whole = parse(body);
  if (!whole.is_object()) return std::nullopt;
  return list_of(at(whole, "Volumes"), [](const json& entry) {
    listed_object row;
    row.id = row.name = text(at(entry, "Name"));
    row.created_unix_ms = unix_ms(at(entry, "CreatedAt"));
    return row;
  });
}

bool engine_facts::may_limit_disk() const {
  if (storage_driver == "btrfs" || storage_driver == "zfs" || storage_driver == "devicemapper") return true;
  return storage_driver == "overlay2" && backing_filesystem == "xfs";
}

std::optional<engine_facts> parse_facts(const std::string& body) {
  auto whole = parse(body);
  if (!whole.is_object()) return std::nullopt;
  engine_facts facts;
  facts.version = text(at(whole, "ServerVersion"));
  facts.storage_driver = text(at(whole, "Driver"));
  facts.live_restore = flag(at(whole, "LiveRestoreEnabled"));
  facts.memory_bytes = number<std::uint64_t>(at(whole, "MemTotal"));
  facts.cpus = number<std::uint32_t>(at(whole, "NCPU"));
  facts.podman = at(whole, "BuildahVersion").is_string();
  if (auto& runtimes = at(whole, "Runtimes"); runtimes.is_object())
    for (auto& [name, what] : runtimes.items())
      facts.runtimes.insert(name);
  auto& options = at(whole, "SecurityOptions");
  if (options.is_array())
    for (auto& option : options)
      if (text(option).find("name=rootless") != std::string::npos) facts.rootless = true;
  facts.rootless = facts.rootless || flag(at(whole, "Rootless"));
  auto& status = at(whole, "DriverStatus");
  if (status.is_array())
    for (auto& pair : status)
      if (pair.is_array() && pair.size() == 2 && pair[0] == "Backing Filesystem")
        facts.backing_filesystem = text(pair[1]);
  return facts;
}

std::optional<group_stats> parse_stats(const std::string& body) {
  auto whole = parse(body);
  if (!whole.is_object()) return std::nullopt;
  auto& memory = at(whole, "memory_stats");
  group_stats stats;
  auto usage = number<std::uint64_t>(at(memory, "usage"));
  // As `free` counts: what the kernel would give back at once (cgroup v1, v2) is not in use.
  auto& detail = at(memory, "stats");
  auto cache = number<std::uint64_t>(
      at(detail, detail.contains("total_inactive_file") ? "total_inactive_file" : "inactive_file"));
  stats.memory_bytes = usage > cache ? usage - cache : usage;
  stats.memory_limit_bytes = number<std::uint64_t>(at(memory, "limit"));
  stats.cpu_usage_ns = number<std::uint64_t>(at(at(at(whole, "cpu_stats"), "cpu_usage"), "total_usage"));
  stats.pids = number<std::uint32_t>(at(at(whole, "pids_stats"), "current"));
  return stats;
}

std::optional<std::vector<std::string>> parse_image_list(const std::string& body, std::size_t most) {
  auto whole = parse(body);
  if (!whole.is_array()) return std::nullopt;
  std::vector<const json*> rows;
  for (auto& row : whole)
    rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(), [](auto* a, auto* b) {
    return number<std::int64_t>(at(*a, "Created")) > number<std::int64_t>(at(*b, "Created"));
  });
  std::vector<std::string> names;
  for (auto* kind : {"RepoTags", "RepoDigests"})
    for (auto* row : rows) {
      auto& texts = at(*row, kind);
      if (!texts.is_array()) continue;
      for (auto& name : texts)
        if (auto image = parse_image_reference(text(name)); image && names.size() < most) names.push_back(image->full_name());
    }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::optional<std::string> parse_image_user(const std::string& body) {
  auto whole = parse(body);
  if (!whole.is_object()) return std::nullopt;
  return text(at(at(whole, "Config"), "User"));
}

std::string text_field(const std::string& body, const char* name) { return text(at(parse(body), name)); }

std::optional<std::int32_t> parse_wait(const std::string& body) {
  auto whole = parse(body);
  auto& code = at(whole, "StatusCode");
  if (!code.is_number()) return std::nullopt;
  return code.get<std::int32_t>();
}

service_state to_service_state(const container_info& container) {
  service_state state;
  auto label = [&](const char* name) {
    auto found = container.labels.find(name);
    return found == container.labels.end() ? std::string() : found->second;
  };
  state.service = label(labels::service);
  state.running = container.running;
  state.exit_code = container.running ? 0 : container.exit_code;
  state.out_of_memory = container.out_of_memory;
  state.image_health = container.image_health;
  state.healthy = container.health == "healthy";
  state.ports = ports_from_label(label(ports_label));
  if (state.ports.empty() && container.exposed.size() == 1)
    state.ports.push_back({container.exposed.front(), port_protocol::http, "web"});
  state.where.container = container_id{container.id};
  state.where.pid = container.running ? container.pid : 0;
  if (!state.ports.empty()) state.where.port = state.ports.front().port;
  return state;
}

} // namespace poseidon::engine
