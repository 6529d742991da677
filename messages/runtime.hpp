#pragma once
// What an instance actor and a runtime (an engine, whichever) say to each other: instance groups, never Docker.
// A group is all containers of one (instance, epoch). Every command may be repeated; the answer is the same.

#include "messages/errors.hpp"
#include "messages/secret.hpp"
#include "messages/spec.hpp"

#include <map>
#include <memory>

namespace poseidon {

/// Names one group: the instance and the assignment it belongs to.
struct group_key {
  instance_id instance;
  struct epoch epoch;
  friend auto operator<=>(const group_key&, const group_key&) = default;
};
POSEIDON_FIELDS(group_key, instance, epoch)

/// Where a running service can be reached, and how to be sure that it is still the same one.
struct endpoint {
  container_id container;
  std::int32_t pid = 0;          ///< of the container's first process, in the host's pid namespace; 0: not by namespace
  std::uint64_t start_ticks = 0; ///< field 22 of /proc/PID/stat: the pid was not reused
  std::string cgroup;            ///< a part of /proc/PID/cgroup that names the container; empty: unknown, not checked
  std::string address;           ///< for runtimes without namespace dial
  std::uint16_t port = 0;
  friend bool operator==(const endpoint&, const endpoint&) = default;
};
POSEIDON_FIELDS(endpoint, container, pid, start_ticks, cgroup, address, port)

/// Everything that a runtime needs to make a group; immutable.
struct launch_plan {
  group_key key;
  spec_ptr spec;
  std::string owner;      ///< owner key
  std::string challenge;  ///< challenge id, or the inline spec's digest
  std::string slot;       ///< "<owner key>/<challenge>"
  std::string host;       ///< instance's host name
  std::string url;        ///< its public URL
  std::string user, team; ///< for the environment; team may be empty
  wall_time created_at;
  wall_time expires_max;  ///< latest possible end: rebuilt from labels as the last resort
  std::optional<wall_time> expires_at; ///< for instance.json; nothing before running
  secret flag;            ///< empty: none; a player's own flag, given as POSEIDON_FLAG and /run/poseidon/flag
};
using launch_plan_ptr = std::shared_ptr<const launch_plan>;

enum class group_step : std::uint8_t { pulling, creating, starting };
POSEIDON_ENUM(group_step, pulling, creating, starting)

/// Sent to whoever asked for ensure_group, while it is under way; may be lost.
struct group_progress {
  group_key key;
  group_step step = group_step::creating;
  std::optional<std::uint32_t> percent; ///< 0 to 100, pulling only
};
POSEIDON_FIELDS(group_progress, key, step, percent)

/// One service of a running group, resolved: ports that were left to the image are filled in.
struct service_state {
  std::string service;
  bool running = false;
  std::int32_t exit_code = 0; ///< when not running
  bool out_of_memory = false;
  endpoint where;             ///< port: the service's first
  std::vector<port_spec> ports;
  bool image_health = false;  ///< the image brings a HEALTHCHECK of its own
  bool healthy = false;       ///< and it last said that the service is healthy
  friend bool operator==(const service_state&, const service_state&) = default;
};
POSEIDON_FIELDS(service_state, service, running, exit_code, out_of_memory, where, ports, image_health, healthy)

/// A group as the engine holds it now.
struct group_state {
  group_key key;
  std::vector<service_state> services;
  bool running() const {
    for (auto& s : services)
      if (!s.running) return false;
    return !services.empty();
  }
};
POSEIDON_FIELDS(group_state, key, services)

/// Sent to the watcher when a service of a group ended by itself (pidfd or engine event).
struct service_exited {
  group_key key;
  std::string service;
  std::int32_t exit_code = 0;
  bool out_of_memory = false;
};
POSEIDON_FIELDS(service_exited, key, service, exit_code, out_of_memory)

/// An object of any kind that carries our labels (or, for shims, our container ids): what a list returns.
enum class object_kind : std::uint8_t { container, network, volume, shim };
POSEIDON_ENUM(object_kind, container, network, volume, shim)
struct runtime_object {
  object_kind kind = object_kind::container;
  std::string id;   ///< the engine's
  std::string name;
  std::map<std::string, std::string> labels; ///< poseidon.* (INTERFACE.md)
  bool running = false;
  std::int64_t age_ms = 0; ///< since created
  service_state state;     ///< containers only
};
POSEIDON_FIELDS(runtime_object, kind, id, name, labels, running, age_ms, state)

/// What a runtime can do, and what it stands on.
struct runtime_info {
  bool namespace_dial = false, pidfd = false, warm_gate = false, pause = false, logs = true, disk_limits = false;
  std::string engine;      ///< "docker 20.10.24, API 1.41"
  std::string isolation;   ///< how isolation was proved; empty while unproven
  std::uint64_t memory_bytes = 0;
  std::uint32_t cpu_millis = 0;
};
POSEIDON_FIELDS(runtime_info, namespace_dial, pidfd, warm_gate, pause, logs, disk_limits, engine, isolation, memory_bytes, cpu_millis)

/// Current use of one group.
struct group_stats {
  std::uint64_t memory_bytes = 0, memory_limit_bytes = 0;
  std::uint64_t cpu_usage_ns = 0;
  std::uint32_t pids = 0;
};
POSEIDON_FIELDS(group_stats, memory_bytes, memory_limit_bytes, cpu_usage_ns, pids)

/// A piece of a container's output.
struct log_chunk {
  std::string service;
  std::string text;
  bool error_stream = false;
  bool end = false;
};
POSEIDON_FIELDS(log_chunk, service, text, error_stream, end)

namespace labels {
inline constexpr const char* cluster = "poseidon.cluster";
inline constexpr const char* node = "poseidon.node";
inline constexpr const char* instance = "poseidon.instance";
inline constexpr const char* slot = "poseidon.slot";
inline constexpr const char* owner = "poseidon.owner";
inline constexpr const char* challenge = "poseidon.challenge";
inline constexpr const char* epoch = "poseidon.epoch";
inline constexpr const char* service = "poseidon.service";
inline constexpr const char* host = "poseidon.host";
inline constexpr const char* created_at = "poseidon.created_at";
inline constexpr const char* expires_max = "poseidon.expires_max";
inline constexpr const char* schema = "poseidon.schema";
inline constexpr const char* schema_version = "1";
inline constexpr const char* warm = "warm"; ///< value of `instance` for a warm one
} // namespace labels

} // namespace poseidon
