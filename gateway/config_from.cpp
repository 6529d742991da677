#include "gateway/gateway.hpp"

#include "config/settings.hpp"

namespace poseidon::gateway {

gateway_config config_from(const config::settings& settings) {
  auto& api = settings.api;
  gateway_config result;
  for (auto& address : api.listen) result.server.listen.push_back(config::to_text(address));
  auto& limits = result.server.limits;
  limits.header_bytes = api.header_limit.bytes;
  limits.body_bytes = api.body_limit.bytes;
  limits.header_timeout = api.header_timeout;
  limits.body_timeout = api.body_timeout;
  limits.idle_timeout = api.idle_timeout;
  limits.connections = api.connections;
  result.urls.public_url = settings.edge.public_url;
  result.urls.api_url = api.public_url;
  result.cors_origins = api.cors_origins;
  result.inline_specs = api.inline_specs;
  result.rate = {settings.rate.per_minute, settings.rate.burst};
  result.request_timeout = api.request_timeout;
  result.wait_limit = api.wait_limit;
  result.streams = api.streams;
  return result;
}

} // namespace poseidon::gateway
