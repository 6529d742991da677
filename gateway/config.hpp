#pragma once
// What the gateway is told from outside. Plain values: whoever builds the process fills them in.

#include "gateway/render.hpp"
#include "gateway/server/server.hpp"
#include "messages/secret.hpp"

namespace poseidon::gateway {

struct rate_config {
  std::uint32_t per_minute = 60; ///< refill; 0: no limit
  std::uint32_t burst = 30;
};

struct gateway_config {
  server_config server;
  url_rules urls;                 ///< api_url empty: the first TCP address that was bound
  std::vector<std::string> cors_origins; ///< "https://ctf.example", or "*"
  bool inline_specs = false;      ///< scope platform may start inline specs too
  rate_config rate;               ///< starts, resets and extensions of one owner
  millis request_timeout{30'000}; ///< an actor's answer
  millis wait_limit{60'000};      ///< longest ?wait=
  millis drain_limit{5'000};
  millis heartbeat{15'000};       ///< comments on idle event streams
  millis log_poll{1'000};         ///< of ?follow=
  std::size_t streams = 1024;     ///< event and log streams at once
  std::size_t events_kept = 16'384; ///< that streams can resume from
  secret watch_key;               ///< signs watch URLs; the same in each gateway of a cluster
};

} // namespace poseidon::gateway
