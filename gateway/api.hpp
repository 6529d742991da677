#pragma once
// What a route's handler works with: the services of its thread, and the call that it answers.

#include "gateway/auth.hpp"
#include "gateway/commands.hpp"
#include "gateway/config.hpp"
#include "gateway/events.hpp"
#include "gateway/metrics.hpp"
#include "gateway/render.hpp"

#include <nlohmann/json_fwd.hpp>

namespace poseidon::config {
struct loaded_settings;
struct settings;
}

namespace poseidon::gateway {

class hub;
class rate_limits;

/// What the gateway needs of the process and may not have: an empty function refuses what needs it.
struct api_hooks {
  std::function<outcome<secret>(const challenge_row&)> reveal;               ///< JSON text of flags and solutions
  std::function<outcome<spec_ptr>(const nlohmann::json&)> inline_spec;       ///< resolves the `spec` of a start
  std::function<failure()> trouble;                                          ///< why this process's node can't start instances now; ok: it can
  std::function<std::optional<std::vector<receiver_status>>()> receivers;    ///< how each fares; nothing: this process has no notifier
  std::function<std::optional<node_report>(const node_name&)> report;        ///< what was heard last of a node
  std::shared_ptr<const config::loaded_settings> settings;                   ///< as the process started with
};

/// What may change while the process runs, as of the view's administration.
struct live_config {
  std::vector<std::string> cors_origins;
  bool inline_specs = false;
};

/// Everything a handler may use. One a thread; what is shared is thread-safe.
struct api {
  const gateway_config* config = nullptr;
  std::shared_ptr<const url_rules> urls;
  const api_hooks* hooks = nullptr;
  view* model = nullptr;
  event_ring* events = nullptr;
  gateway::commands* actors = nullptr;
  hub* streams = nullptr;
  rate_limits* rates = nullptr;
  gateway::metrics* meters = nullptr;
  const poseidon::clock* clock = nullptr;
  random_source* random = nullptr;
  authenticator auth;
  live_config live;
  std::uint64_t admin_version = 0; ///< of the view's administration that auth and live were taken from
  std::atomic<std::size_t>* open_streams = nullptr;
  const std::atomic<bool>* draining = nullptr;
  std::function<std::size_t()> connections; ///< open now

  wall_time now() const { return clock->wall_now(); }
};

/// One request on its way through a handler; copyable. Answer it exactly once, with finish() or problem().
class call {
public:
  call(api& services, exchange ex, std::size_t route, identity who, std::vector<std::string> params);

  api& services() const { return *api_; }
  const http_request& request() const { return exchange_.request(); }
  const exchange& wire() const { return exchange_; }
  const identity& who() const { return who_; }
  const std::string& param(std::size_t index) const { return params_.at(index); }

  void finish(http_response response) const;
  void json(int status, std::string body, std::string location = {}) const;
  void problem(const failure& why) const;
  void problem(errc code, std::string detail, std::vector<field_problem> errors = {}) const;
  /// Answers with a stream; the head carries what finish() would add.
  void stream(std::string content_type, std::function<void()> drained) const;

private:
  void add_cors(http_response& response) const;
  api* api_;
  exchange exchange_;
  std::size_t route_;
  identity who_;
  std::vector<std::string> params_;
  std::chrono::steady_clock::time_point began_;
};

/// application/problem+json, with Retry-After where a repeat may help.
http_response problem_response(const failure& why, int status = 0);

using handler = void (*)(const call&);

/// One operation of the API. `{name}` in the pattern takes one path segment.
struct route {
  http_method method;
  std::string_view pattern;
  scope needs;
  handler run;
};

// Every operation, by subject; routes.cpp joins them.
std::vector<route> instance_routes();
std::vector<route> stream_routes();
std::vector<route> challenge_routes();
std::vector<route> node_routes();
std::vector<route> key_routes();
std::vector<route> settings_routes();
std::vector<route> notification_routes();
std::vector<route> backup_routes();
std::vector<route> system_routes();
/// All of them.
const std::vector<route>& all_routes();

/// Answers one request: finds the route, authenticates, runs the handler.
void serve(api& services, exchange ex);

} // namespace poseidon::gateway
