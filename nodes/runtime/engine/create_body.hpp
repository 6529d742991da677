#pragma once
// From a launch plan to the body of the engine's "create container" and "create network". Pure.

#include "nodes/runtime/engine/names.hpp"

namespace poseidon::engine {

/// What the node decides, beyond the plan.
struct create_options {
  identity owner;
  std::string instance_folder;        ///< on the host; mounted read-only at /run/poseidon
  std::string network;                ///< the group's network; empty for an isolated group
  std::string joins;                  ///< isolated, not the first service: container whose network namespace it shares
  std::string oci_runtime;            ///< of services that name none; empty: the engine's own
  std::string image_user;             ///< the image's own user, asked for only by security_mode::strict
  bool disk_limits = false;           ///< the engine's storage can bound a container's disk
  std::uint64_t log_bytes = 4u << 20; ///< of the engine's own copy of the output
  std::uint64_t open_files = 16384;   ///< ulimit nofile; 0: the engine's own
};

/// True when the strict profile has to know the image's user before the body can be made.
bool needs_image_user(const service_spec& service);

/// The JSON body, or invalid_spec (strict with a root user).
outcome<std::string> create_body(const launch_plan& plan, std::size_t service, const create_options& options);

/// Body of POST /networks/create. An empty subnet leaves the choice to the engine. `bridge` has no way out, `egress`
/// has.
std::string network_body(const launch_plan& plan, const identity& owner, const std::string& subnet);

/// The n-th /28 of the pool ("10.201.0.0/16"); empty when the pool has no such one or is malformed.
std::string subnet_of(const std::string& pool, std::uint32_t n);

/// Text of /run/poseidon/instance.json.
std::string instance_file(const launch_plan& plan);

} // namespace poseidon::engine
