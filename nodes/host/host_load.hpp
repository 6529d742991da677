#pragma once
// Load of the machine for placement and for the extension policy.

#include <cstdint>
#include <string_view>

namespace poseidon {

/// Thousandths of what the machine has.
struct host_load {
  std::uint32_t cpu_permille = 0, memory_permille = 0;
};

/// Busy and total jiffies of all cores (first line of /proc/stat).
struct cpu_sample {
  std::uint64_t busy = 0, total = 0;
};
/// Pure: reads /proc/stat's text. Zeros when malformed.
cpu_sample parse_proc_stat(std::string_view text);
/// Pure: thousandths of memory in use, by MemTotal and MemAvailable of /proc/meminfo's text. 0 when malformed.
std::uint32_t parse_memory_permille(std::string_view text);
/// Pure: busy share between two samples, in thousandths.
std::uint32_t cpu_permille_between(cpu_sample before, cpu_sample after);

/// Reads the machine now; cpu since the last call. Not thread-safe.
class load_reader {
public:
  host_load read();

private:
  cpu_sample last_;
};

} // namespace poseidon
