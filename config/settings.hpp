#pragma once
// Every setting of a Poseidon process, typed. Type and default are the member; range, live or not, secret or not and
// help are its row in settings_table.cpp. Read with load_settings (config/settings_load.hpp); a default-constructed
// struct holds defaults.

#include "config/address.hpp"
#include "config/receivers.hpp"
#include "config/units.hpp"
#include "messages/enums.hpp"
#include "messages/secret.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace poseidon::config {

enum class role : std::uint8_t { gateway, node, edge, notifier };
POSEIDON_ENUM(role, gateway, node, edge, notifier)
enum class log_format : std::uint8_t { text, json };
POSEIDON_ENUM(log_format, text, json)
enum class log_level : std::uint8_t { trace, debug, info, warn, error };
POSEIDON_ENUM(log_level, trace, debug, info, warn, error)
enum class placement_strategy : std::uint8_t { spread, pack };
POSEIDON_ENUM(placement_strategy, spread, pack)

/// The HTTP API.
struct api_settings {
  std::vector<listen_address> listen{{"127.0.0.1", 8080, {}}, {{}, 0, "/run/poseidon/api.sock"}};
  std::string public_url;
  secret admin_key;
  std::vector<std::string> cors_origins;
  bool inline_specs = false;
  byte_size body_limit{1 << 20};
  byte_size header_limit{16 << 10};
  millis header_timeout{10'000};
  millis body_timeout{30'000};
  millis request_timeout{30'000};
  millis idle_timeout{60'000};
  millis wait_limit{60'000};
  std::uint32_t connections = 4096;
  std::uint32_t streams = 1024;
};

/// The data plane.
struct edge_settings {
  std::vector<listen_address> listen{{"127.0.0.1", 8081, {}}};
  std::vector<listen_address> admin_listen;
  std::string link_dir = "/run/poseidon/edges";
  std::vector<listen_address> relay_listen;
  std::string relay_advertise;
  std::string domain = "localhost";
  std::string public_url;
  byte_size head_limit{16 << 10};
  millis head_timeout{10'000};
  millis idle_timeout{600'000};
  millis connect_timeout{5'000};
  std::uint32_t connections = 20'000;
  std::uint32_t connections_per_source = 256;
  std::uint32_t connections_per_instance = 1024;
};

/// Challenge folders.
struct challenge_settings {
  std::string dir;
  millis reread_interval{2'000};
};

struct log_settings {
  log_format format = log_format::text;
  log_level level = log_level::info;
};

/// Ceilings that admission judges; 0 is none.
struct limit_settings {
  std::uint32_t per_owner = 5;
  std::uint32_t per_user = 0;
  std::uint32_t per_team = 0;
  std::uint32_t per_challenge = 0;
  std::uint32_t per_node = 0;
  std::uint32_t cluster = 0;
  std::uint32_t cost_per_owner = 0;
  std::uint32_t cost_cluster = 0;
  std::uint32_t queue = 1000;
};

/// Starts, resets and extensions of one owner: a bucket of `burst`, refilled with `per_minute`.
struct rate_settings {
  std::uint32_t per_minute = 60;
  std::uint32_t burst = 30;
};

/// How placement chooses among the nodes that fit, and the weights of the loads that it compares.
struct placement_settings {
  percent cpu{50};
  percent memory{30};
  percent containers{20};
  placement_strategy strategy = placement_strategy::spread;
};

/// What this node offers; 0 is what the machine has.
struct capacity_settings {
  byte_size memory{0};
  cpu_count cpus{0};
  std::uint32_t containers = 1000;
};

struct reaper_settings {
  millis interval{10'000};
  millis window{60'000};
};

/// What a challenge gets that does not say otherwise.
struct default_settings {
  byte_size memory{512ull << 20};
  cpu_count cpus{1000};
  std::uint32_t pids = 256;
  millis lifetime{3'600'000};
  millis start_limit{300'000};
  std::uint32_t restart_max = 3;
  millis restart_window{300'000};
};

/// Times that hold for every instance.
struct lifecycle_settings {
  millis expiring_notice{300'000};
  millis health_interval{5};
  millis health_timeout{1'000};
};

/// Output of containers.
struct capture_settings {
  bool enabled = false;
  byte_size limit{256 << 10};
  byte_size total{1ull << 30};
  millis keep{86'400'000};
  byte_size engine_limit{10 << 20};
};

/// The engine's adapter.
struct runtime_settings {
  std::uint32_t parallel = 16;
  std::uint32_t parallel_pulls = 3;
  millis request_timeout{30'000};
  millis pull_timeout{600'000};
  millis list_interval{10'000};
  std::string oci;
  std::string registry_credentials;
};

struct ledger_settings {
  std::uint32_t snapshot_every = 10'000;
  millis keep{7ll * 86'400'000};
};

/// Where the ledger's log is when several processes share it.
struct nats_settings {
  std::vector<std::string> urls; ///< none: the log is in DATA
  std::uint32_t replicas = 1;
  std::string credentials;       ///< file of a NATS user
  std::string nkey;              ///< file of a user's seed, instead of one
  std::string user;              ///< instead of both
  secret password;
  std::string ca;                ///< file of certificates
};

/// Webhooks and Discord channels that are told of events (docs/notifications.md).
struct notify_settings {
  std::vector<receiver_settings> receivers;
  std::vector<std::string> members; ///< notifiers that share the work, this process among them; none: this process alone
  millis timeout{10'000};
  millis give_up{86'400'000};
  millis longest_retry{60'000};
  std::uint32_t parallel = 8;
  millis dead_keep{7ll * 86'400'000};
  std::string ca; ///< file of certificates
};

/// How long a node may be silent.
struct membership_settings {
  millis suspect_after{3'000};
  millis lost_after{15'000};
};

/// What is true of all nodes.
struct nodes_settings {
  bool recreate_lost = false;
};

struct settings {
  std::string data = "/var/lib/poseidon";
  std::string cluster = "poseidon";
  std::string node; ///< load_settings fills in the host name
  std::vector<std::string> labels; ///< NAME=VALUE each (labels_of)
  std::vector<role> roles{role::gateway, role::node, role::edge, role::notifier};
  std::string engine = "unix:///var/run/docker.sock";
  std::string user = "poseidon";
  std::uint32_t threads = 0;
  bool stop_instances_on_exit = false;
  millis shutdown_limit{10'000};
  api_settings api;
  edge_settings edge;
  challenge_settings challenges;
  log_settings log;
  limit_settings limits;
  rate_settings rate;
  placement_settings placement;
  capacity_settings capacity;
  reaper_settings reaper;
  default_settings defaults;
  lifecycle_settings lifecycle;
  capture_settings capture;
  runtime_settings runtime;
  ledger_settings ledger;
  nats_settings nats;
  notify_settings notify;
  membership_settings membership;
  nodes_settings nodes;
  bool has(role wanted) const {
    for (auto r : roles)
      if (r == wanted) return true;
    return false;
  }
};

/// The node's labels by name. Of two with one name the last counts (load_settings refuses them).
std::map<std::string, std::string> labels_of(const settings& values);

/// The host name pattern of instances, from edge.public_url, else edge.domain: "{label}.ctf.example".
std::string host_pattern(const edge_settings& edge);

} // namespace poseidon::config
