#pragma once
// Names and labels of everything that we make in an engine. Pure.

#include "messages/runtime.hpp"

#include <map>
#include <string>

namespace poseidon::engine {

/// Whose objects these are.
struct identity {
  std::string cluster, node;
};

/// Label with the ports of the spec ("8000/http/web,…"), so that a restarted node learns them from the engine.
inline constexpr const char* ports_label = "poseidon.ports";
/// Label with the service's place in the group: list order is start order.
inline constexpr const char* order_label = "poseidon.order";

/// poseidon-<20 hex digits>, the same for the same arguments: what makes a create repeatable.
std::string container_name(const identity& owner, const group_key& key, const std::string& service);
/// The group's own network (bridge and egress) and its folder on the host.
std::string group_name(const identity& owner, const group_key& key);
std::string volume_name(const identity& owner, const group_key& key, const std::string& volume);

/// All labels of a container of the plan.
std::map<std::string, std::string> container_labels(const identity& owner, const launch_plan& plan,
                                                    std::size_t service);
/// All labels of the group's network and volumes.
std::map<std::string, std::string> group_labels(const identity& owner, const launch_plan& plan);
/// The engine's `filters` argument (JSON, not yet percent-encoded) that selects ours, or only the group's.
std::string label_filter(const identity& owner, const group_key* key = nullptr);

/// The group that labels name; nothing when they are not a group's of this owner.
std::optional<group_key> group_of(const identity& owner, const std::map<std::string, std::string>& labels);

std::string ports_to_label(const std::vector<port_spec>& ports);
std::vector<port_spec> ports_from_label(const std::string& text);

} // namespace poseidon::engine
