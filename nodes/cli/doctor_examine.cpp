// Looking at the machine for `doctor`: /proc, /sys, sockets, the engine's API. Changes nothing.

#include "nodes/cli/doctor.hpp"
#include "nodes/cli/http_client.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace poseidon::cli {
namespace {

using nlohmann::json;
constexpr millis engine_patience{3'000};
constexpr std::uint64_t cap_sys_ptrace = 1ull << 19, cap_sys_admin = 1ull << 21;

/// A descriptor that closes itself.
struct descriptor {
  int fd;
  explicit descriptor(int f) : fd(f) {}
  ~descriptor() {
    if (fd >= 0) ::close(fd);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
};

std::string cgroup_kind() {
  bool v1 = false, v2_root = false, any = false;
  std::ifstream mounts("/proc/mounts");
  for (std::string device, path, type, rest; mounts >> device >> path >> type && std::getline(mounts, rest);) {
    if (type != "cgroup" && type != "cgroup2") continue;
    any = true;
    v1 = v1 || type == "cgroup";
    v2_root = v2_root || (type == "cgroup2" && path == "/sys/fs/cgroup");
  }
  if (!any) return "none";
  if (v2_root && !v1) return "v2";
  return std::filesystem::exists("/sys/fs/cgroup/unified") ? "hybrid" : "v1";
}

std::uint64_t effective_capabilities() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("CapEff:")) return std::stoull(line.substr(7), nullptr, 16);
  return 0;
}

void examine_kernel(machine_facts& f) {
  f.is_root = ::geteuid() == 0;
  utsname names{};
  if (::uname(&names) == 0) f.kernel = names.release;
  descriptor self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  f.has_pidfd = self.fd >= 0;
  auto needed = cap_sys_admin | cap_sys_ptrace;
  f.sees_namespaces = (effective_capabilities() & needed) == needed;
  f.cgroups = cgroup_kind();
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) f.open_files = files.rlim_cur, f.open_files_hard = files.rlim_max;
  std::ifstream("/proc/sys/kernel/pid_max") >> f.max_processes;
}

void examine_disk(machine_facts& f, std::string path) {
  // A directory that serve will still make: its nearest parent.
  while (path.size() > 1 && !std::filesystem::exists(path))
    path = std::filesystem::path(path).parent_path().string();
  struct statvfs space {};
  if (path.empty() || ::statvfs(path.c_str(), &space) != 0) return;
  f.disks.push_back(
      {path, std::uint64_t{space.f_bavail} * space.f_frsize, std::uint64_t{space.f_blocks} * space.f_frsize});
}

/// Why the address can't be bound, or "".
std::string binding_problem(const config::listen_address& a) {
  bool v6 = a.host.find(':') != std::string::npos;
  descriptor s(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (s.fd < 0) return std::strerror(errno);
  int one = 1;
  ::setsockopt(s.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in v4_address{};
  sockaddr_in6 v6_address{};
  v4_address.sin_family = AF_INET;
  v4_address.sin_port = v6_address.sin6_port = htons(a.port);
  v6_address.sin6_family = AF_INET6;
  ::inet_pton(AF_INET, a.host.c_str(), &v4_address.sin_addr);
  ::inet_pton(AF_INET6, a.host.c_str(), &v6_address.sin6_addr);
  auto* address = v6 ? reinterpret_cast<sockaddr*>(&v6_address) : reinterpret_cast<sockaddr*>(&v4_address);
  if (::bind(s.fd, address, v6 ? sizeof v6_address : sizeof v4_address) != 0 || ::listen(s.fd, 1) != 0)
    return std::strerror(errno);
  return {};
}

/// An API answers /healthz; an edge knows no host and says so in its own words.
bool is_poseidon(const config::listen_address& a, bool is_api) {
  http_target target{a.host == "0.0.0.0" ? "127.0.0.1"
                     : a.host == "::"    ? "::1"
                                         : a.host,
                     std::to_string(a.port), a.path};
  auto reply = exchange(target, {"GET", is_api ? "/healthz" : "/", "", {}}, engine_patience);
  if (!reply) return false;
  return is_api ? reply->status == 200
                : reply->header("server").find("poseidon") != std::string::npos ||
                      reply->body.find("oseidon") != std::string::npos;
}

void examine_ports(machine_facts& f, const config::settings& s) {
  auto look = [&](const std::vector<config::listen_address>& addresses, const char* setting, bool is_api) {
    for (auto& a : addresses) {
      if (!a.is_unix() && a.port == 0) continue;
      port_fact fact{setting, config::to_text(a), a.is_unix() ? "" : binding_problem(a), false};
      bool taken = a.is_unix() ? std::filesystem::exists(a.path) : fact.problem == std::strerror(EADDRINUSE);
      fact.answered_by_us = taken && is_poseidon(a, is_api);
      f.ports.push_back(std::move(fact));
    }
  };
  if (s.has(config::role::gateway)) look(s.api.listen, "api.listen", true);
  if (s.has(config::role::edge)) {
    look(s.edge.listen, "edge.listen", false);
    look(s.edge.admin_listen, "edge.admin_listen", false);
  }
}

std::optional<bool> flag_of(const json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_boolean()
             ? std::optional(object[name].get<bool>())
             : std::nullopt;
}

std::string text_of(const json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_string() ? object[name].get<std::string>()
                                                                                 : std::string();
}

void examine_engine(machine_facts& f, const std::string& engine) {
  f.engine = engine;
  auto target = parse_target(engine);
  auto ask = [&](const char* path) -> json {
    auto reply = target ? exchange(*target, {"GET", path, "", {}}, engine_patience) : outcome<http_reply>(target.error);
    if (!reply)
      f.engine_problem = reply.error.detail;
    else if (reply->status != 200)
      f.engine_problem = "answers " + std::to_string(reply->status);
    return reply ? json::parse(reply->body, nullptr, false) : json();
  };
  auto version = ask("/version");
  if (!f.engine_problem.empty()) return;
  auto info = ask("/info");
  f.engine_version = text_of(version, "Version");
  f.engine_api = text_of(version, "ApiVersion");
  f.engine_os = text_of(version, "Os");
  f.storage_driver = text_of(info, "Driver");
  f.default_runtime = text_of(info, "DefaultRuntime");
  f.live_restore = flag_of(info, "LiveRestoreEnabled");
  f.memory_limit = flag_of(info, "MemoryLimit");
  f.cpu_limit = flag_of(info, "CpuCfsQuota");
  f.pids_limit = flag_of(info, "PidsLimit");
  auto options = info.is_object() && info.contains("SecurityOptions") ? info["SecurityOptions"].dump() : std::string();
  f.rootless = options.find("name=rootless") != std::string::npos;
  f.user_namespaces = options.find("name=userns") != std::string::npos;
  if (auto root = text_of(info, "DockerRootDir"); !root.empty()) examine_disk(f, root);
}

bool answered_by_us(const machine_facts& f) {
  return std::ranges::any_of(f.ports, [](const port_fact& port) { return port.answered_by_us; });
}

} // namespace

machine_facts examine(const config::settings& settings, const std::string& engine_in_use) {
  machine_facts f;
  examine_kernel(f);
  examine_disk(f, settings.data);
  examine_ports(f, settings);
  if (settings.has(config::role::node))
    examine_engine(f, !engine_in_use.empty() && answered_by_us(f) ? engine_in_use : settings.engine);
  else
    f.engine_problem = "";
  return f;
}

} // namespace poseidon::cli
