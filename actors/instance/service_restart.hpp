#pragma once
// Whether a service that ended while its instance was running is started again. Pure.

#include "actors/kit/restart_policy.hpp"
#include "messages/runtime.hpp"

namespace poseidon {

/// `restart:` of the challenge as a rule with back-off.
restart_rule rule_of(const instance_spec& spec);

/// Judges a service's exit: by mode (no, on-failure, always), then by how often it happened within the window.
restart_decision decide_service_restart(const instance_spec& spec, const service_exited& exit, const std::vector<boot_time>& recent,
                                        boot_time now);

} // namespace poseidon
