#pragma once
// The spec of simulated challenges.

#include "messages/spec.hpp"

namespace poseidon::simulation {

/// One service that listens; it may ignore TERM.
inline spec_ptr simulated_spec(std::int64_t lifetime_ms, bool ignores_term, extension_spec extension) {
  auto spec = std::make_shared<instance_spec>();
  auto& service = spec->services.emplace_back();
  service.image = ignores_term ? "stubborn" : "plain";
  service.ports.push_back({8000, port_protocol::http, "web"});
  service.health = {health_kind::tcp, 8000, "/"};
  spec->reserve = {1 << 20, 1};
  spec->lifetime_ms = lifetime_ms;
  spec->start_limit_ms = 20'000;
  spec->extension = extension;
  return spec;
}

} // namespace poseidon::simulation
