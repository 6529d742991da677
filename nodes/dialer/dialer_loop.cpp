#include "nodes/dialer/dialer_loop.hpp"

#include "nodes/dialer/process_identity.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <span>

namespace poseidon {
namespace {

using dialer_wire::op;
using dialer_wire::reply;
using dialer_wire::request;
using dialer_wire::status;

constexpr std::size_t proc_file_bytes_max = 16384;

void fail(reply& to, int error) {
  to.error = error;
  switch (error) {
  case EPERM:
  case EACCES: to.status = status::denied; break;
  case ESRCH:
  case ENOENT: to.status = status::gone; break;
  case EMFILE:
  case ENFILE:
  case ENOMEM:
  case ENOBUFS: to.status = status::exhausted; break;
  default: to.status = status::failed;
  }
}

unique_fd open_proc(std::int32_t pid, const char* name) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return unique_fd{::open(path, O_RDONLY | O_CLOEXEC)};
}

/// Reads a file of /proc whole (as far as `buffer` holds it); -1 with errno on failure.
ssize_t read_proc(std::int32_t pid, const char* name, char* buffer, std::size_t size) {
  auto file = open_proc(pid, name);
  if (!file) return -1;
  std::size_t length = 0;
  while (length < size) {
    const auto got = ::read(file.get(), buffer + length, size - length);
    if (got < 0) return -1;
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(length);
}

/// Opens a pidfd of the process asked for, and compares its start ticks; false with a status when it is not that one.
bool hold(const request& asked, unique_fd& pidfd, std::span<char> buffer, reply& to) {
  pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, asked.pid, 0)));
  // EINVAL: a thread, not a process; such a pid never was a container's.
  if (!pidfd) return fail(to, errno == EINVAL ? ESRCH : errno), false;
  const auto length = read_proc(asked.pid, "stat", buffer.data(), buffer.size());
  if (length < 0) return fail(to, errno), false;
  const auto ticks = start_ticks_of_stat({buffer.data(), static_cast<std::size_t>(length)});
  if (ticks && *ticks == asked.start_ticks) return true;
  to.status = status::mismatch;
  return false;
}

bool has_ended(int pidfd) {
  pollfd watched{pidfd, POLLIN, 0};
  return ::poll(&watched, 1, 0) != 0;
}

bool same_file(int a, int b) {
  struct stat sa {}, sb {};
  return ::fstat(a, &sa) == 0 && ::fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

bool well_formed(const request& asked) {
  if (asked.version != dialer_wire::version || asked.cgroup_bytes > dialer_wire::cgroup_bytes_max) return false;
  switch (asked.what) {
  case op::shim: if (asked.cgroup_bytes == 0) return false; [[fallthrough]];
  case op::open: return asked.pid > 1 && asked.pid != ::getpid() && asked.pid != ::getppid() && asked.start_ticks > 0;
  case op::socket: return asked.port > 0;
  case op::signal: return asked.signo >= 0 && asked.signo <= 64;
  case op::close: return true;
  }
  return false;
}

} // namespace

dialer_loop::dialer_loop(int socket, unique_fd own_network, std::size_t handles)
    : socket_(socket), own_network_(std::move(own_network)), handles_(handles) {}

int dialer_loop::run() {
  for (;;) {
    request asked;
    // One byte more than a request, so that a longer packet is seen as such. No room for control data: descriptors that
    // come along are dropped by the kernel.
    char packet[sizeof asked + 1];
    const auto got = ::recv(socket_, packet, sizeof packet, 0);
    if (got < 0 && errno == EINTR) continue;
    // A parent that left replies unread shows as a reset.
    if (got <= 0) return got == 0 || errno == ECONNRESET ? 0 : 71;
    reply answered;
    unique_fd passed;
    if (got == sizeof asked) {
      std::memcpy(&asked, packet, sizeof asked);
      answered = answer(asked, passed);
    } else {
      answered.status = status::malformed;
    }
    if (!send(answered, passed.get())) return 0;
  }
}

reply dialer_loop::answer(const request& asked, unique_fd& passed) {
  reply to;
  to.id = asked.id;
  if (!well_formed(asked)) {
    to.status = status::malformed;
    return to;
  }
  switch (asked.what) {
  case op::open: open(asked, to); break;
  case op::shim: open_shim(asked, to); break;
  case op::socket: make_socket(asked, to, passed); break;
  case op::signal: signal(asked, to); break;
  case op::close: to.status = handles_.erase(asked.handle) ? status::ok : status::unknown_handle; break;
  }
  return to;
}

void dialer_loop::open(const request& asked, reply& to) {
  held_process process;
  static char text[proc_file_bytes_max];
  if (!hold(asked, process.pidfd, {text, sizeof text}, to)) return;
  if (asked.cgroup_bytes > 0) {
    const auto length = read_proc(asked.pid, "cgroup", text, sizeof text);
    if (length < 0) return fail(to, errno);
    if (!cgroup_names({text, static_cast<std::size_t>(length)}, {asked.cgroup, asked.cgroup_bytes})) {
      to.status = status::mismatch;
      return;
    }
  }
  process.network = open_proc(asked.pid, "ns/net");
  if (!process.network) return fail(to, errno);
  // What was read by number belongs to the process that the pidfd holds only if that one has lived until now.
  if (has_ended(process.pidfd.get())) {
    to.status = status::gone;
    return;
  }
  // A process in the dialer's own network is no isolated instance: its loopback is the machine's.
  if (same_file(process.network.get(), own_network_.get())) {
    to.status = status::mismatch;
    return;
  }
  to.handle = handles_.insert(std::move(process));
}

/// A shim lives in its engine's network, which may be the dialer's own: it is known by its command line, and its handle is
/// good for no socket.
void dialer_loop::open_shim(const request& asked, reply& to) {
  held_process process;
  static char text[proc_file_bytes_max];
  if (!hold(asked, process.pidfd, {text, sizeof text}, to)) return;
  const auto length = read_proc(asked.pid, "cmdline", text, sizeof text);
  if (length < 0) return fail(to, errno);
  if (shim_container({text, static_cast<std::size_t>(length)}) != std::string_view{asked.cgroup, asked.cgroup_bytes}) {
    to.status = status::mismatch;
    return;
  }
  if (has_ended(process.pidfd.get())) {
    to.status = status::gone;
    return;
  }
  to.handle = handles_.insert(std::move(process));
}

held_process* dialer_loop::living(std::uint64_t handle, reply& to) {
  auto* process = handles_.find(handle);
  if (!process) {
    to.status = status::unknown_handle;
    return nullptr;
  }
  if (has_ended(process->pidfd.get())) {
    handles_.erase(handle);
    to.status = status::gone;
    return nullptr;
  }
  return process;
}

void dialer_loop::make_socket(const request& asked, reply& to, unique_fd& passed) {
  auto* process = living(asked.handle, to);
  if (!process) return;
  if (!process->network) {
    to.status = status::mismatch;
    return;
  }
  if (::setns(process->network.get(), CLONE_NEWNET) != 0) return fail(to, errno);
  passed.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int socket_error = errno;
  // Nothing may ever be done for one instance inside the namespace of another.
  if (::setns(own_network_.get(), CLONE_NEWNET) != 0) ::_exit(72);
  if (!passed) return fail(to, socket_error);
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(asked.port);
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(passed.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0 && errno != EINPROGRESS) {
    fail(to, errno);
    if (to.status == status::gone) to.status = status::failed;
    passed.reset();
  }
}

void dialer_loop::signal(const request& asked, reply& to) {
  auto* process = living(asked.handle, to);
  if (!process) return;
  if (::syscall(SYS_pidfd_send_signal, process->pidfd.get(), asked.signo, nullptr, 0) != 0) fail(to, errno);
}

bool dialer_loop::send(const reply& answered, int passed) {
  iovec data{const_cast<reply*>(&answered), sizeof answered};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (passed >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    auto* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(head), &passed, sizeof passed);
  }
  for (;;) {
    if (::sendmsg(socket_, &message, MSG_NOSIGNAL) >= 0) return true;
    if (errno == EINTR) continue;
    if (passed >= 0 && errno == ETOOMANYREFS) {
      reply instead = answered;
      instead.status = status::exhausted;
      instead.error = ETOOMANYREFS;
      return send(instead, -1);
    }
    return false;
  }
}

} // namespace poseidon
