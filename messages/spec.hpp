#pragma once
// What an instance is made of: the resolved spec, one list of services (containers). Challenge folders and inline specs
// (config/challenge.hpp) resolve to it; the runtime builds from it; the ledger stores it once by digest.

#include "messages/enums.hpp"
#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace poseidon {

enum class port_protocol : std::uint8_t { http, tcp, tls_passthrough };
POSEIDON_ENUM(port_protocol, http, tcp, tls_passthrough)

/// A port that the service listens on; the first of the first service is the instance's own.
struct port_spec {
  std::uint16_t port = 0;
  port_protocol protocol = port_protocol::http;
  std::string name; ///< unique within the instance; default "web", or "port-<n>"
  friend bool operator==(const port_spec&, const port_spec&) = default;
};
POSEIDON_FIELDS(port_spec, port, protocol, name)

enum class health_kind : std::uint8_t { tcp, http, image, none };
POSEIDON_ENUM(health_kind, tcp, http, image, none)

/// How "reachable" is proved.
struct health_spec {
  health_kind kind = health_kind::tcp;
  std::uint16_t port = 0; ///< 0: the first port (decided once the image is known)
  std::string path = "/"; ///< http only: a 2xx or 3xx answer is healthy
  friend bool operator==(const health_spec&, const health_spec&) = default;
};
POSEIDON_FIELDS(health_spec, kind, port, path)

/// Ceilings the engine enforces. 0 for disk_bytes: none.
struct limit_spec {
  std::uint64_t memory_bytes = 512ull << 20;
  std::uint32_t cpu_millis = 1000; ///< thousandths of a core
  std::uint32_t pids = 256;
  std::uint64_t disk_bytes = 0;
  friend bool operator==(const limit_spec&, const limit_spec&) = default;
};
POSEIDON_FIELDS(limit_spec, memory_bytes, cpu_millis, pids, disk_bytes)

/// What placement counts; default memory/2 and cpus/10 of the limits, summed over services.
struct reserve_spec {
  std::uint64_t memory_bytes = 256ull << 20;
  std::uint32_t cpu_millis = 100;
  friend bool operator==(const reserve_spec&, const reserve_spec&) = default;
};
POSEIDON_FIELDS(reserve_spec, memory_bytes, cpu_millis)

/// When a player may ask for more time, and how much.
struct extension_spec {
  std::int64_t step_ms = 0;               ///< 0: no extensions
  std::uint32_t after_percent = 50;       ///< of the current span that has to have passed
  std::int64_t max_ms = 0;                ///< sum of all extensions; default the lifetime
  std::uint32_t below_load_percent = 100; ///< refused when the node's load is at or above this; 100: never refused for load
  friend bool operator==(const extension_spec&, const extension_spec&) = default;
};
POSEIDON_FIELDS(extension_spec, step_ms, after_percent, max_ms, below_load_percent)

enum class restart_mode : std::uint8_t { no, on_failure, always };
POSEIDON_ENUM(restart_mode, no, on_failure, always)
enum class network_mode : std::uint8_t { isolated, bridge, egress };
POSEIDON_ENUM(network_mode, isolated, bridge, egress)
enum class security_mode : std::uint8_t { strict, default_, docker };
POSEIDON_ENUM(security_mode, strict, default_, docker)
enum class pull_mode : std::uint8_t { missing, always, never };
POSEIDON_ENUM(pull_mode, missing, always, never)

struct volume_spec {
  std::string name, path;
  friend bool operator==(const volume_spec&, const volume_spec&) = default;
};
POSEIDON_FIELDS(volume_spec, name, path)

/// Which nodes an instance wants, by their labels.
struct placement_spec {
  std::map<std::string, std::string> require; ///< only nodes with all of these
  std::map<std::string, std::string> prefer;  ///< rather nodes with more of these
  friend bool operator==(const placement_spec&, const placement_spec&) = default;
};
POSEIDON_FIELDS(placement_spec, require, prefer)

/// One container.
struct service_spec {
  std::string name = "main"; ///< label poseidon.service; [a-z0-9][a-z0-9-]{0,31}
  std::string image;
  std::vector<std::string> command; ///< empty: the image's own
  std::map<std::string, std::string> environment;
  std::vector<port_spec> ports; ///< empty: the image's one exposed port
  health_spec health;
  limit_spec limits;
  security_mode security = security_mode::default_;
  std::vector<std::string> capabilities; ///< added to none (strict, default_) or to Docker's set (docker)
  bool no_new_privileges = true;
  bool read_only = false;
  std::vector<std::string> tmpfs;
  std::string user; ///< empty: the image's own
  bool init = false;
  std::string stop_signal = "SIGTERM";
  std::int64_t stop_grace_ms = 0;
  pull_mode pull = pull_mode::missing;
  std::vector<volume_spec> volumes;
  std::string runtime; ///< engine's OCI runtime; empty: the engine's default
  friend bool operator==(const service_spec&, const service_spec&) = default;
};
POSEIDON_FIELDS(service_spec, name, image, command, environment, ports, health, limits, security, capabilities,
                no_new_privileges, read_only, tmpfs, user, init, stop_signal, stop_grace_ms, pull, volumes, runtime)

/// A whole instance, everything defaulted and checked.
struct instance_spec {
  std::vector<service_spec> services; ///< at least one; the first is the one that is routed and probed
  reserve_spec reserve;
  std::int64_t lifetime_ms = 3'600'000; ///< counts from running
  std::int64_t start_limit_ms = 300'000; ///< until running
  extension_spec extension;
  restart_mode restart = restart_mode::on_failure;
  std::uint32_t restart_max = 3;              ///< restarts allowed within the window
  std::int64_t restart_window_ms = 300'000;
  network_mode network = network_mode::isolated;
  bool capture_logs = false;                  ///< keep logs before removal (phase capturing)
  std::uint32_t cost = 1;                     ///< units counted by cost limits
  placement_spec placement;
  friend bool operator==(const instance_spec&, const instance_spec&) = default;
};
POSEIDON_FIELDS(instance_spec, services, reserve, lifetime_ms, start_limit_ms, extension, restart, restart_max,
                restart_window_ms, network, capture_logs, cost, placement)

/// Specs are immutable once resolved, and shared.
using spec_ptr = std::shared_ptr<const instance_spec>;

/// Who an instance belongs to.
struct owner_ref {
  std::string user;
  std::optional<std::string> team;
  std::optional<std::string> user_name, team_name;
  friend bool operator==(const owner_ref&, const owner_ref&) = default;
};
POSEIDON_FIELDS(owner_ref, user, team, user_name, team_name)

/// `team:<id>` when a team is named, else `user:<id>`.
owner_key key_of(const owner_ref& owner);

} // namespace poseidon
