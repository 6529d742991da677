#pragma once
// The machine's clocks and identity, read from the kernel.

#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <string>

namespace poseidon {

/// CLOCK_BOOTTIME and CLOCK_REALTIME.
class host_clock : public clock {
public:
  boot_time boot_now() const override;
  wall_time wall_now() const override;
};

/// The kernel's boot id (a UUID in text); changes with each boot. Empty when /proc is not there.
std::string read_boot_id();
/// "<boot id>/<inode of the pid namespace>": equal for two processes that can see each other's pids.
machine_id read_machine_id();
/// The kernel's host name.
std::string read_host_name();

/// What the machine has.
struct host_size {
  std::uint64_t memory_bytes = 0;
  std::uint32_t cpu_millis = 0; ///< thousandths of a core
};
host_size read_host_size();

} // namespace poseidon
