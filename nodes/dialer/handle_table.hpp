#pragma once

#include "nodes/dialer/unique_fd.hpp"

#include <array>
#include <cstdint>

namespace poseidon {

/// What the dialer keeps of one process: two descriptors that can't come to mean another process.
struct held_process {
  unique_fd pidfd;
  unique_fd network; ///< its network namespace
};

/// The dialer's bounded set of handles; when full, the one unused for longest makes room. A handle is never given twice.
/// No allocation.
class handle_table {
public:
  static constexpr std::size_t capacity_max = 4096;
  /// Holds at most `capacity` (1 to capacity_max) processes.
  explicit handle_table(std::size_t capacity);
  /// Keeps `process`; returns its handle (never 0).
  std::uint64_t insert(held_process process);
  /// The process under `handle`, now the most recently used; null when there is none.
  held_process* find(std::uint64_t handle);
  /// Forgets `handle` and closes its descriptors; false when there was none.
  bool erase(std::uint64_t handle);
  std::size_t size() const { return size_; }

private:
  struct slot {
    std::uint32_t generation = 0;
    bool taken = false;
    std::uint64_t used = 0;
    held_process process;
  };
  slot* at(std::uint64_t handle);

  std::array<slot, capacity_max> slots_;
  std::size_t capacity_;
  std::size_t size_ = 0;
  std::uint64_t uses_ = 0;
};

} // namespace poseidon
