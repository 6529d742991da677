#pragma once
// Which container a process belongs to, by /proc/PID/cgroup; and its start time, by /proc/PID/stat. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace poseidon::engine {

/// The part of a /proc/PID/cgroup text that names the container: the 64 hex digits of `id`, in whichever form (v1, v2;
/// cgroupfs "/docker/<id>", systemd "docker-<id>.scope", Podman "libpod-<id>"). Empty when no path holds them.
std::string cgroup_part(std::string_view cgroup_text, std::string_view id);

/// True when some path names a container at all: then a missing id means another process; false: an unknown form.
bool names_a_container(std::string_view cgroup_text);

/// Field 22 of a /proc/PID/stat text; nothing when malformed. The name in it may hold spaces and brackets.
std::optional<std::uint64_t> start_ticks_of(std::string_view stat_text);

} // namespace poseidon::engine
