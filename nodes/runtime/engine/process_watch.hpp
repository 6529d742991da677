#pragma once
// Sure hold of one process of the machine: a pidfd, with the proof that it is the container's.

#include <cstdint>
#include <optional>
#include <string>

namespace poseidon::engine {

/// What became of an attempt to hold a process.
enum class hold_result {
  held,        ///< descriptor, ticks and cgroup are that process's
  gone,        ///< it has ended, or its pid belongs to another container now
  unsupported, ///< no pidfd, or a cgroup of an unknown form: only the engine can tell when it ends
};

/// One process. The descriptor belongs to the holder; it becomes readable when the process has ended.
struct process_hold {
  hold_result result = hold_result::unsupported;
  int pidfd = -1;
  std::uint64_t start_ticks = 0;
  std::string cgroup;
};

/// Opens a pidfd for `pid`, then checks by cgroup that it is a process of the container.
process_hold hold_process(std::int32_t pid, const std::string& container_id);

/// Start ticks of a running process; nothing when there is none.
std::optional<std::uint64_t> read_start_ticks(std::int32_t pid);

/// A pidfd of the process, for the caller to close; -1 with errno when there is none.
int open_pidfd(std::int32_t pid);

/// 0 when sent, else the errno: EPERM without privilege, ESRCH when it has ended.
int send_signal(int pidfd, int signal);

/// "SIGTERM", "term", "15": its number; nothing when unknown.
std::optional<int> signal_number(const std::string& name);

} // namespace poseidon::engine
