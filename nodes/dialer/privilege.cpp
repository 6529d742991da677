#include "nodes/dialer/privilege.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace poseidon {
namespace {

using capability_sets = std::array<__user_cap_data_struct, 2>;

failure denied(const char* what) {
  return {errc::operation_not_permitted, std::string{what} + ": " + std::strerror(errno), {}, {}, {}};
}

bool read_capabilities(capability_sets& sets) {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  return ::syscall(SYS_capget, &head, sets.data()) == 0;
}

bool write_capabilities(const capability_sets& sets) {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  return ::syscall(SYS_capset, &head, sets.data()) == 0;
}

bool has(const capability_sets& sets, int capability) {
  return (sets[static_cast<std::size_t>(capability) / 32].permitted >> (capability % 32)) & 1u;
}

/// Group ids of `user`, and of the sockets' owners.
std::vector<gid_t> groups_of(const passwd& user, std::span<const std::string> sockets) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (::getgrouplist(user.pw_name, user.pw_gid, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
    ::getgrouplist(user.pw_name, user.pw_gid, groups.data(), &count);
  }
  groups.resize(static_cast<std::size_t>(count));
  for (const auto& path : sockets) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode) && info.st_gid != 0 &&
        std::find(groups.begin(), groups.end(), info.st_gid) == groups.end())
      groups.push_back(info.st_gid);
  }
  return groups;
}

} // namespace

failure keep_capabilities(std::span<const int> capabilities) {
  capability_sets now{};
  if (!read_capabilities(now)) return denied("capget");
  // A change of user leaves the permitted ones (with KEEPCAPS), but none in effect.
  auto all = now;
  for (auto& word : all) word.effective = word.permitted;
  if (!write_capabilities(all)) return denied("capset");
  if (has(now, CAP_SETPCAP))
    for (int each = 0; ::prctl(PR_CAPBSET_READ, each, 0, 0, 0) >= 0; ++each)
      if (std::find(capabilities.begin(), capabilities.end(), each) == capabilities.end() &&
          ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0) != 0)
        return denied("drop from the bounding set");
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return denied("clear ambient capabilities");
  capability_sets kept{};
  for (const int each : capabilities)
    if (has(now, each)) {
      auto& word = kept[static_cast<std::size_t>(each) / 32];
      word.permitted |= 1u << (each % 32);
      word.effective = word.permitted;
    }
  if (!write_capabilities(kept)) return denied("capset");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return denied("no_new_privs");
  return {};
}

outcome<privilege_report> drop_privilege(const std::string& user, std::span<const std::string> sockets) {
  privilege_report report;
  errno = 0;
  const auto* entry = ::getpwnam(user.c_str());
  if (::geteuid() != 0 || !entry) {
    const auto* self = ::getpwuid(::geteuid());
    report.user = self ? self->pw_name : std::to_string(::geteuid());
    report.explanation = ::geteuid() != 0 ? "not root: nothing to drop"
                                          : "there is no user '" + user + "': everything goes on as root";
    return report;
  }
  const auto groups = groups_of(*entry, sockets);
  const auto uid = entry->pw_uid;
  const auto gid = entry->pw_gid;
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return denied("keep capabilities");
  if (::setgroups(groups.size(), groups.data()) != 0) return denied("setgroups");
  if (::setresgid(gid, gid, gid) != 0) return denied("setresgid");
  if (::setresuid(uid, uid, uid) != 0) return denied("setresuid");
  const int kept[] = {CAP_NET_BIND_SERVICE};
  if (auto failed = keep_capabilities(kept)) return failed;
  if (uid != 0 && ::setuid(0) == 0) return failure{errc::operation_not_permitted, "root could be regained", {}, {}, {}};
  report.dropped = true;
  report.user = user;
  report.explanation = "running as user '" + user + "' with " + std::to_string(groups.size()) + " groups";
  return report;
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

} // namespace poseidon
