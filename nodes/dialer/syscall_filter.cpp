#include "nodes/dialer/syscall_filter.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace poseidon {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t this_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t this_architecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t this_architecture = 0;
#endif

constexpr std::uint32_t socket_type_mask = 0xf; ///< without SOCK_NONBLOCK and SOCK_CLOEXEC

using program = std::vector<sock_filter>;

sock_filter statement(int code, std::uint32_t value) { return BPF_STMT(static_cast<std::uint16_t>(code), value); }
sock_filter jump(int code, std::uint32_t value, unsigned char when_true, unsigned char when_false) {
  return BPF_JUMP(static_cast<std::uint16_t>(code), value, when_true, when_false);
}
sock_filter load(std::size_t offset) { return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
/// The lower half of an argument (both architectures are little-endian).
sock_filter load_argument(std::size_t index) { return load(offsetof(seccomp_data, args) + index * 8); }
sock_filter allow() { return statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }
sock_filter deny() { return statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM); }

void allow_call(program& filter, long number) {
  filter.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1));
  filter.push_back(allow());
}

/// Runs `checks` (which end in a verdict) when the call is `number`.
void check_call(program& filter, long number, const program& checks) {
  filter.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, static_cast<unsigned char>(checks.size())));
  filter.insert(filter.end(), checks.begin(), checks.end());
}

program make_filter() {
  program filter{load(offsetof(seccomp_data, arch)), jump(BPF_JMP | BPF_JEQ | BPF_K, this_architecture, 1, 0), deny(),
                 load(offsetof(seccomp_data, nr))};
  for (const long number : {
         SYS_read, SYS_close, SYS_recvfrom, SYS_recvmsg, SYS_sendmsg, SYS_sendto, SYS_connect, SYS_pidfd_open, SYS_pidfd_send_signal,
         SYS_ppoll, SYS_fstat, SYS_newfstatat, SYS_getpid, SYS_getppid, SYS_gettid, SYS_exit_group, SYS_exit, SYS_rt_sigreturn,
         SYS_restart_syscall, SYS_rt_sigprocmask, SYS_sigaltstack, SYS_brk, SYS_mmap, SYS_munmap, SYS_madvise, SYS_futex,
#if defined(SYS_poll)
         SYS_poll,
#endif
       })
    allow_call(filter, number);
  check_call(filter, SYS_openat, {load_argument(2), jump(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1), deny(), allow()});
  check_call(filter, SYS_setns, {load_argument(1), jump(BPF_JMP | BPF_JEQ | BPF_K, CLONE_NEWNET, 0, 1), allow(), deny()});
  check_call(filter, SYS_socket, {load_argument(0), jump(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0), deny(), load_argument(1),
                                  statement(BPF_ALU | BPF_AND | BPF_K, socket_type_mask), jump(BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 0, 1),
                                  allow(), deny()});
  check_call(filter, SYS_write, {load_argument(0), jump(BPF_JMP | BPF_JEQ | BPF_K, STDERR_FILENO, 0, 1), allow(), deny()});
  filter.push_back(deny());
  return filter;
}

} // namespace

bool install_syscall_filter() {
  if (this_architecture == 0) return false;
  auto filter = make_filter();
  const sock_fprog loaded{static_cast<unsigned short>(filter.size()), filter.data()};
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded, 0, 0) == 0;
}

} // namespace poseidon
