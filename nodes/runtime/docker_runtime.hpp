#pragma once
// The runtime over a Docker Engine (or Podman's same API) on this machine's Unix socket.

#include "nodes/runtime/runtime.hpp"

#include <memory>
#include <string>

namespace poseidon {

/// What the Docker runtime needs; everything has a sensible default but cluster, node and data folder.
struct docker_options {
  std::string engine = "unix:///var/run/docker.sock"; ///< tcp:// and others are refused by start(), with the reason
  std::string cluster, node;                          ///< label all that is ours
  std::string data_folder;                            ///< absolute; instance folders are made below it
  std::string docker_config;          ///< a docker config.json with registry logins, read at each pull; may be missing
  std::size_t concurrent_starts = 16; ///< creates and starts in flight; the rest queues
  std::size_t concurrent_removes = 16;
  std::uint64_t log_bytes = 4u << 20;         ///< the engine's copy of one container's output
  std::string network_pool = "10.201.0.0/16"; ///< subnets of bridge and egress networks; empty: the engine's own pools
  millis list_period{7000};                   ///< how often a list checks what events and pidfds may have missed
  bool prove_isolation = true;                ///< start() runs the probe container; off only in tests without `dial`
  signaller signal;    ///< empty: pidfd of our own where privilege allows, else the engine's kill
  namespace_dial dial; ///< needed by the isolation proof
};

/// Makes the runtime and its thread. Nothing is asked of the engine before start().
std::unique_ptr<runtime> make_docker_runtime(docker_options options);

} // namespace poseidon
