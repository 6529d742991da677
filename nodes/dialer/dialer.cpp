#include "nodes/dialer/dialer.hpp"

#include "nodes/dialer/dialer_loop.hpp"
#include "nodes/dialer/privilege.hpp"
#include "nodes/dialer/syscall_filter.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace poseidon {
namespace {

constexpr int socket_number = 3;
constexpr std::uint64_t descriptors_spare = 32;

failure system_failure(const char* what) {
  return {errc::internal, std::string{"the dialer could not be started: "} + what + ": " + std::strerror(errno), {}, {}, {}};
}

/// Leaves the child with its socket as number 3, standard error, and nothing else of its parent's.
bool isolate_descriptors(int socket) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return false;
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  if (socket != socket_number && ::dup2(socket, socket_number) < 0) return false;
  ::close_range(socket_number + 1, ~0u, 0);
  return true;
}

/// The end of the socket ends the dialer, not a signal that is meant for the whole process group or unit: its parent may
/// still need it for an orderly end.
void ignore_signals() {
  for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2}) ::signal(each, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool become(const passwd& user) {
  return ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && ::setgroups(0, nullptr) == 0 &&
         ::setresgid(user.pw_gid, user.pw_gid, user.pw_gid) == 0 && ::setresuid(user.pw_uid, user.pw_uid, user.pw_uid) == 0;
}

int child(int socket, const passwd* user, std::size_t handles_max) {
  ::prctl(PR_SET_NAME, "poseidon-dialer", 0, 0, 0);
  ignore_signals();
  if (!isolate_descriptors(socket)) return 73;
  if (::chdir("/") != 0) return 73;
  unique_fd own_network{::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)};
  if (!own_network) return 74;
  const auto descriptors = raise_descriptor_limit();
  if (user && !become(*user)) return 75;
  // SYS_ADMIN enters namespaces, SYS_PTRACE opens them, KILL signals.
  const int kept[] = {CAP_SYS_ADMIN, CAP_KILL, CAP_SYS_PTRACE};
  if (keep_capabilities(kept)) return 76;
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const auto handles = descriptors > 2 * descriptors_spare ? (descriptors - descriptors_spare) / 2 : descriptors_spare / 2;
  // On the heap: the table is large for a stack.
  auto loop = std::make_unique<dialer_loop>(socket_number, std::move(own_network), std::min<std::uint64_t>(handles, handles_max));
  // What the kernel refuses here was not in force before either: better a dialer without than none.
  install_syscall_filter();
  return loop->run();
}

} // namespace

outcome<dialer_process> start_dialer(const dialer_options& options) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return system_failure("socketpair");
  unique_fd ours{ends[0]}, theirs{ends[1]};
  const auto* entry = ::geteuid() == 0 ? ::getpwnam(options.user.c_str()) : nullptr;
  const pid_t pid = ::fork();
  if (pid < 0) return system_failure("fork");
  if (pid == 0) {
    ours.reset();
    ::_exit(child(theirs.get(), entry, options.handles_max));
  }
  return dialer_process{std::move(ours), pid};
}

int reap_dialer(pid_t pid) {
  int status = 0;
  pid_t got = 0;
  do got = ::waitpid(pid, &status, 0);
  while (got < 0 && errno == EINTR);
  return got == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace poseidon
