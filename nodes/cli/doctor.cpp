#include "nodes/cli/doctor.hpp"

#include "nodes/cli/tables.hpp"

#include <charconv>

namespace poseidon::cli {
namespace {

constexpr std::uint64_t enough_files = 65'536;
constexpr std::uint64_t enough_processes = 100'000;
constexpr std::uint64_t little_space = 5ull << 30, no_space = 1ull << 30;
constexpr int oldest_api_minor = 40, tested_api_minor = 41;

/// "6.1.0-13" is {6, 1}; "1.41" is {1, 41}.
std::pair<int, int> two_numbers(const std::string& text) {
  int a = 0, b = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), a);
  if (error == std::errc{} && end != text.data() + text.size() && *end == '.')
    std::from_chars(end + 1, text.data() + text.size(), b);
  return {a, b};
}

class report {
public:
  std::vector<finding> out;
  void fine(std::string what, std::string detail) {
    out.push_back({finding_level::fine, std::move(what), std::move(detail), {}});
  }
  void warning(std::string what, std::string detail, std::string remedy) {
    out.push_back({finding_level::warning, std::move(what), std::move(detail), std::move(remedy)});
  }
  void fault(std::string what, std::string detail, std::string remedy) {
    out.push_back({finding_level::fault, std::move(what), std::move(detail), std::move(remedy)});
  }
};

void judge_kernel(const machine_facts& f, report& r) {
  if (two_numbers(f.kernel) < std::pair(5, 3) || !f.has_pidfd)
    r.fault("kernel", f.kernel + " has no pidfd",
            "Poseidon holds containers by pidfd: use Linux 5.3 or newer (Debian 12 has 6.1)");
  else
    r.fine("kernel", f.kernel);
  if (f.cgroups == "none")
    r.fault("cgroups", "nothing is mounted at /sys/fs/cgroup",
            "mount -t cgroup2 cgroup2 /sys/fs/cgroup, or boot with an init system that does");
  else if (f.cgroups == "hybrid")
    r.warning("cgroups", "v1 and v2 at once",
              "works with runc; crun refuses it: boot with systemd.unified_cgroup_hierarchy=1 to have v2 alone");
  else
    r.fine("cgroups", f.cgroups);
  if (!f.is_root)
    r.warning("rights", "not root",
              "run serve as root (it drops to user poseidon by itself): its dialer has to enter network namespaces; "
              "and run doctor as root to see what serve will see");
  else if (!f.sees_namespaces)
    r.fault("rights", "root, but without the right to enter namespaces",
            "give CAP_SYS_ADMIN and CAP_SYS_PTRACE (a container needs --privileged and --pid=host)");
  else
    r.fine("rights", "root, may enter namespaces");
}

void judge_limits(const machine_facts& f, report& r) {
  auto files = std::to_string(f.open_files) + " open files";
  if (f.open_files_hard < enough_files)
    r.warning("limits", files + ", at most " + std::to_string(f.open_files_hard),
              "each connection takes two: raise it with ulimit -Hn 1048576, or LimitNOFILE= in the unit");
  else
    r.fine("limits", files + ", up to " + std::to_string(f.open_files_hard));
  if (f.max_processes != 0 && f.max_processes < enough_processes)
    r.warning("processes", "kernel.pid_max is " + std::to_string(f.max_processes),
              "many instances need many processes: sysctl -w kernel.pid_max=4194304");
  for (auto& disk : f.disks) {
    auto detail = bytes(disk.free_bytes) + " of " + bytes(disk.size_bytes) + " free at " + disk.path;
    if (disk.free_bytes < no_space)
      r.fault("disk", detail, "make room, or move it: the ledger, or the engine's images, will not fit");
    else if (disk.free_bytes < little_space)
      r.warning("disk", detail, "make room before it runs out: docker image prune, or a larger disk");
    else
      r.fine("disk", detail);
  }
}

void judge_ports(const machine_facts& f, report& r) {
  for (auto& port : f.ports) {
    if (port.answered_by_us)
      r.fine("address", port.address + ": Poseidon answers");
    else if (port.problem.empty())
      r.fine("address", port.address + ": free");
    else
      r.fault("address", port.address + ": " + port.problem,
              "end what holds it (ss -ltnp shows it), or set " + port.setting + " to another address");
  }
}

void judge_engine(const machine_facts& f, report& r) {
  if (!f.engine_problem.empty())
    return r.fault("engine", f.engine + ": " + f.engine_problem,
                   "install and start one (apt-get install docker.io; systemctl start docker), let this user read its "
                   "socket, or name another with --engine or DOCKER_HOST");
  auto [major, minor] = two_numbers(f.engine_api);
  auto detail = "version " + f.engine_version + ", API " + f.engine_api + ", at " + f.engine;
  if (std::pair(major, minor) < std::pair(1, oldest_api_minor))
    r.fault("engine", detail, "it is too old: use Docker 19.03 or newer");
  else if (std::pair(major, minor) < std::pair(1, tested_api_minor))
    r.warning("engine", detail, "older than what Poseidon is tested with: Docker 20.10 or newer is better");
  else
    r.fine("engine", detail);
  if (f.rootless)
    r.fault("engine mode", "rootless",
            "its containers live in namespaces that Poseidon can't enter: use the engine that runs as root");
  if (f.user_namespaces)
    r.warning("engine mode", "user namespaces are remapped",
              "files that instances get from the host may be unreadable to them: check with a challenge, or turn "
              "userns-remap off");
  if (f.live_restore == false)
    r.warning("live-restore", "off",
              "a restart of the engine stops every instance (Poseidon starts them again): put {\"live-restore\": true} "
              "into /etc/docker/daemon.json, then systemctl reload docker");
  else if (f.live_restore)
    r.fine("live-restore", "on");
  auto need = [&](std::optional<bool> has, const char* what) {
    if (has == false)
      r.fault("engine limits", std::string("can't limit ") + what,
              "the kernel's cgroup controller is missing: boot with cgroup_enable=memory swapaccount=1, or mount the "
              "controller");
  };
  need(f.memory_limit, "memory");
  need(f.cpu_limit, "cpu");
  need(f.pids_limit, "processes");
  if (!f.engine_os.empty() && f.engine_os != "linux")
    r.fault("engine mode", "runs " + f.engine_os + " containers", "switch it to Linux containers");
}

} // namespace

std::vector<finding> judge(const machine_facts& facts) {
  report r;
  judge_kernel(facts, r);
  judge_limits(facts, r);
  judge_engine(facts, r);
  judge_ports(facts, r);
  return std::move(r.out);
}

} // namespace poseidon::cli
