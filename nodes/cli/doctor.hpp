#pragma once
// What is wrong with this machine, and how to mend it: facts first, then a pure judgement.

#include "config/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace poseidon::cli {

/// One address that serve would listen on.
struct port_fact {
  std::string setting, address;
  std::string problem;         ///< why it can't be bound; empty: free
  bool answered_by_us = false; ///< a Poseidon answers there
};

/// Space of one file system.
struct disk_fact {
  std::string path;
  std::uint64_t free_bytes = 0, size_bytes = 0;
};

/// What was found on the machine; nothing in here is judged yet.
struct machine_facts {
  bool is_root = false;
  std::string kernel; ///< "6.1.0-13-amd64"
  bool has_pidfd = false, sees_namespaces = false;
  std::string cgroups; ///< "v2", "v1", "hybrid", "none"
  std::uint64_t open_files = 0, open_files_hard = 0;
  std::uint64_t max_processes = 0; ///< kernel.pid_max
  std::vector<disk_fact> disks;
  std::vector<port_fact> ports;
  std::string engine;         ///< its address
  std::string engine_problem; ///< why it does not answer; empty: it does
  std::string engine_version, engine_api;
  std::string engine_os, storage_driver, default_runtime;
  std::optional<bool> live_restore, memory_limit, pids_limit, cpu_limit;
  bool rootless = false, user_namespaces = false;
};

enum class finding_level : std::uint8_t { fine, warning, fault };
POSEIDON_ENUM(finding_level, fine, warning, fault)

/// One line of the doctor's report.
struct finding {
  finding_level level = finding_level::fine;
  std::string what, detail, remedy; ///< remedy: empty when fine
};
POSEIDON_FIELDS(finding, level, what, detail, remedy)

/// Judges. Pure.
std::vector<finding> judge(const machine_facts& facts);
/// Looks at this machine; never changes anything. `engine_in_use`: what the process that answers here, if one does, was told
/// to use; empty: what the settings name.
machine_facts examine(const config::settings& settings, const std::string& engine_in_use = {});

} // namespace poseidon::cli
