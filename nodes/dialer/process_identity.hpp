#pragma once
// How one makes sure that a pid still means the same process. Pure; no allocation (it runs in the dialer).

#include <cstdint>
#include <optional>
#include <string_view>

namespace poseidon {

/// Field 22 of the text of /proc/PID/stat, in clock ticks since boot; nothing when the text is malformed. The process name
/// (field 2) is the process's own choice and may hold spaces and parentheses.
std::optional<std::uint64_t> start_ticks_of_stat(std::string_view stat);

/// True when `part` (not empty) is found in a path of the text of /proc/PID/cgroup (v1, v2 and hybrid alike).
bool cgroup_names(std::string_view cgroup_file, std::string_view part);

/// The container whose shim has this text of /proc/PID/cmdline; empty when it is no shim's.
std::string_view shim_container(std::string_view command_line);

} // namespace poseidon
