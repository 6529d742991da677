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
  std::size_t concurrent_pulls = 3;
  millis call_timeout{30'000};                ///< the engine answers one call within
  millis pull_timeout{600'000};               ///< one pull takes at most, once it has its place
  std::string oci_runtime;                    ///< of services that name none; empty: the engine's own. One that the engine does
                                              ///< not have is refused by start()
  std::uint64_t log_bytes = 4u << 20;         ///< the engine's copy of one container's output
  std::string network_pool = "10.201.0.0/16"; ///< subnets of bridge and egress networks; empty: the engine's own pools
  millis list_period{7000};                   ///< how often a list checks what events and pidfds may have missed
  millis shim_age{60000};                     ///< a younger container unknown to the engine's list is no orphan yet
  bool prove_isolation = true;                ///< start() runs the probe container; off only in tests without `dial`
  signaller signal;    ///< empty: pidfd of our own where privilege allows, else the engine's kill
  shim_ender end_shim; ///< empty: pidfd of our own where privilege allows
  namespace_dial dial; ///< needed by the isolation proof
};

/// Makes the runtime and its thread. Nothing is asked of the engine before start().
std::unique_ptr<runtime> make_docker_runtime(docker_options options);

} // namespace poseidon
