#include "nodes/runtime/engine/process_watch.hpp"

#include "nodes/runtime/engine/cgroup_path.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace poseidon::engine {

namespace {

/// Whole text of a small file under /proc; empty when it can't be read.
std::string read_proc(std::int32_t pid, const char* name) {
  auto path = "/proc/" + std::to_string(pid) + "/" + name;
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::string text;
  char piece[4096];
  for (ssize_t got = 0; (got = ::read(file, piece, sizeof piece)) > 0;)
    text.append(piece, std::size_t(got));
  ::close(file);
  return text;
}

bool has_ended(int pidfd) {
  pollfd one{pidfd, POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

} // namespace

process_hold hold_process(std::int32_t pid, const std::string& container_id) {
  process_hold hold;
  if (pid <= 0) {
    hold.result = hold_result::gone;
    return hold;
  }
  hold.pidfd = open_pidfd(pid);
  if (hold.pidfd < 0) {
    hold.result = errno == ESRCH ? hold_result::gone : hold_result::unsupported;
    return hold;
  }
  auto cgroup = read_proc(pid, "cgroup");
  auto ticks = start_ticks_of(read_proc(pid, "stat"));
  hold.cgroup = cgroup_part(cgroup, container_id);
  hold.start_ticks = ticks.value_or(0);
  // Alive after the reads: what was read is about the process that the descriptor holds.
  if (has_ended(hold.pidfd) || !ticks)
    hold.result = hold_result::gone;
  else if (!hold.cgroup.empty())
    hold.result = hold_result::held;
  else
    hold.result = names_a_container(cgroup) ? hold_result::gone : hold_result::unsupported;
  if (hold.result != hold_result::held) {
    ::close(hold.pidfd);
    hold.pidfd = -1;
  }
  return hold;
}

std::optional<std::uint64_t> read_start_ticks(std::int32_t pid) { return start_ticks_of(read_proc(pid, "stat")); }

int open_pidfd(std::int32_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0u)); }

int send_signal(int pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0u) == 0 ? 0 : errno;
}

std::optional<int> signal_number(const std::string& name) {
  int number = 0;
  auto* end = name.data() + name.size();
  if (auto [rest, error] = std::from_chars(name.data(), end, number); error == std::errc() && rest == end)
    return number > 0 && number < NSIG ? std::optional<int>(number) : std::nullopt;
  auto upper = name;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (upper.starts_with("SIG")) upper.erase(0, 3);
  for (int signal = 1; signal < 32; ++signal)
    if (auto* known = ::sigabbrev_np(signal); known && upper == known) return signal;
  return std::nullopt;
}

} // namespace poseidon::engine
