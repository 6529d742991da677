// Dropping privilege, each time in a process of its own.

#include "nodes/dialer/privilege.hpp"
#include "nodes/dialer/syscall_filter.hpp"
#include "nodes/dialer/unique_fd.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <functional>
#include <iterator>
#include <vector>

namespace poseidon {
namespace {

/// Runs `check` in a child; the line of the first failed demand, 0 when all held.
int in_child(const std::function<int()>& check) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(check());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define DEMAND(condition)                                                                                              \
  if (!(condition)) return __LINE__ % 250 + 1

std::string own_status() {
  std::ifstream file{"/proc/self/status"};
  return {std::istreambuf_iterator<char>{file}, {}};
}

class privilege_test : public testing::Test {
protected:
  void SetUp() override { ASSERT_EQ(::geteuid(), 0u) << "these tests need root: there is nothing to drop without"; }
};

TEST_F(privilege_test, drops_root_for_good) {
  EXPECT_EQ(in_child([] {
              const auto report = drop_privilege("nobody");
              DEMAND(report && report->dropped && report->user == "nobody");
              DEMAND(::getuid() == 65534 && ::geteuid() == 65534 && ::getegid() != 0);
              DEMAND(::setuid(0) != 0 && ::seteuid(0) != 0 && ::setgid(0) != 0);
              const auto status = own_status();
              DEMAND(status.find("CapPrm:\t0000000000000400") != std::string::npos); // CAP_NET_BIND_SERVICE
              DEMAND(status.find("CapEff:\t0000000000000400") != std::string::npos);
              DEMAND(status.find("CapBnd:\t0000000000000400") != std::string::npos);
              DEMAND(status.find("NoNewPrivs:\t1") != std::string::npos);
              DEMAND(::access("/root", R_OK | W_OK) != 0);
              return 0;
            }),
            0);
}

TEST_F(privilege_test, can_still_bind_low_ports) {
  EXPECT_EQ(in_child([] {
              DEMAND(::unshare(CLONE_NEWNET) == 0);
              DEMAND(drop_privilege("nobody"));
              unique_fd fd{::socket(AF_INET, SOCK_STREAM, 0)};
              sockaddr_in address{};
              address.sin_family = AF_INET;
              address.sin_port = htons(80);
              DEMAND(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
              return 0;
            }),
            0);
}

TEST_F(privilege_test, keeps_the_group_of_the_engines_socket) {
  const std::string path = "/tmp/poseidon-privilege-" + std::to_string(::getpid());
  unique_fd fd{::socket(AF_UNIX, SOCK_STREAM, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(fd.get(), 1), 0);
  ASSERT_EQ(::chown(path.c_str(), 0, 54321), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0660), 0);
  EXPECT_EQ(in_child([&] {
              const std::string sockets[] = {path, "/nowhere/docker.sock"};
              DEMAND(drop_privilege("nobody", sockets));
              std::vector<gid_t> groups(64);
              groups.resize(static_cast<std::size_t>(std::max(0, ::getgroups(64, groups.data()))));
              DEMAND(std::find(groups.begin(), groups.end(), 54321) != groups.end());
              DEMAND(std::find(groups.begin(), groups.end(), 0) == groups.end());
              unique_fd client{::socket(AF_UNIX, SOCK_STREAM, 0)};
              DEMAND(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
              return 0;
            }),
            0);
  ::unlink(path.c_str());
}

TEST_F(privilege_test, without_such_a_user_nothing_changes) {
  EXPECT_EQ(in_child([] {
              const auto before = own_status();
              const auto report = drop_privilege("no-such-user-here");
              DEMAND(report && !report->dropped && report->user == "root");
              DEMAND(!report->explanation.empty());
              DEMAND(::geteuid() == 0);
              return 0;
            }),
            0);
}

TEST_F(privilege_test, an_ordinary_user_has_nothing_to_drop) {
  EXPECT_EQ(in_child([] {
              DEMAND(::setresuid(65534, 65534, 65534) == 0);
              const auto report = drop_privilege("nobody");
              DEMAND(report && !report->dropped && report->user == "nobody");
              return 0;
            }),
            0);
}

TEST_F(privilege_test, the_filter_leaves_the_dialers_calls_alone_and_no_others) {
  EXPECT_EQ(in_child([] {
              DEMAND(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
              DEMAND(install_syscall_filter());
              const auto refused = [](long result) { return result == -1 && errno == EPERM; };
              DEMAND(::open("/proc/self/stat", O_RDONLY | O_CLOEXEC) >= 0);
              DEMAND(refused(::open("/tmp/poseidon-filter", O_WRONLY | O_CREAT, 0600)));
              DEMAND(refused(::open("/dev/null", O_RDWR)));
              DEMAND(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) >= 0);
              DEMAND(refused(::socket(AF_INET, SOCK_DGRAM, 0)));
              DEMAND(refused(::socket(AF_UNIX, SOCK_STREAM, 0)));
              DEMAND(refused(::socket(AF_INET, SOCK_RAW, 1)));
              DEMAND(::setns(-1, CLONE_NEWNET) == -1 && errno == EBADF);
              DEMAND(refused(::setns(-1, CLONE_NEWNS)));
              DEMAND(refused(::setns(-1, 0)));
              DEMAND(refused(::unshare(CLONE_NEWNS)));
              DEMAND(refused(::mount("none", "/mnt", "tmpfs", 0, nullptr)));
              DEMAND(refused(::ptrace(PTRACE_ATTACH, 1, nullptr, nullptr)));
              DEMAND(refused(::kill(::getpid(), 0)));
              DEMAND(refused(::execl("/bin/true", "true", nullptr)));
              DEMAND(refused(::fork()));
              DEMAND(refused(::write(STDIN_FILENO, "", 0)));
              return 0;
            }),
            0);
}

} // namespace
} // namespace poseidon
