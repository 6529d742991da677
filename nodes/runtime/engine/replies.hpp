#pragma once
// What the engine's JSON says, as structs: only what we use, tolerant of what is missing. Pure.

#include "messages/runtime.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace poseidon::engine {

/// One container, of GET /containers/{id}/json.
struct container_info {
  std::string id, name, status, image, health, error, stop_signal, network_mode;
  bool running = false, out_of_memory = false, image_health = false;
  std::int32_t pid = 0, exit_code = 0;
  std::map<std::string, std::string> labels;
  std::vector<std::uint16_t> exposed; ///< TCP ports, ascending
};
std::optional<container_info> parse_container(const std::string& body);

/// One row of a list of containers, networks or volumes.
struct listed_object {
  std::string id, name, state;
  std::map<std::string, std::string> labels;
  std::int64_t created_unix_ms = 0; ///< 0: not told
};
std::optional<std::vector<listed_object>> parse_container_list(const std::string& body);
std::optional<std::vector<listed_object>> parse_network_list(const std::string& body);
std::optional<std::vector<listed_object>> parse_volume_list(const std::string& body);

/// Of GET /info.
struct engine_facts {
  std::string version, storage_driver, backing_filesystem;
  bool rootless = false, live_restore = false, podman = false;
  std::uint64_t memory_bytes = 0;
  std::uint32_t cpus = 0;
  std::set<std::string> runtimes; ///< names of its OCI runtimes
  /// The storage may take a size for each container (only a create can tell for overlay2 on xfs).
  bool may_limit_disk() const;
};
std::optional<engine_facts> parse_facts(const std::string& body);

/// Of GET /containers/{id}/stats.
std::optional<group_stats> parse_stats(const std::string& body);

/// Full names (image_reference) of GET /images/json, sorted: of the newest images, at most `most` names, tags before digests.
std::optional<std::vector<std::string>> parse_image_list(const std::string& body, std::size_t most);

/// `User` of an image; nothing when the reply is malformed.
std::optional<std::string> parse_image_user(const std::string& body);
/// A top-level text field ("Id", "Version"); empty when missing.
std::string text_field(const std::string& body, const char* name);
/// `StatusCode` of POST /containers/{id}/wait.
std::optional<std::int32_t> parse_wait(const std::string& body);

/// The service as vocabulary: ports of the label, else the image's one exposed port; without process identity.
service_state to_service_state(const container_info& container);

} // namespace poseidon::engine
