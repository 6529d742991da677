#include "gateway/rate_limits.hpp"
#include "gateway/router.hpp"
#include "gateway/settings_view.hpp"

#include <algorithm>

namespace poseidon::gateway {

namespace {

constexpr std::int64_t default_retry_ms = 5'000;
/// Index for requests that match no operation, in the metrics.
constexpr std::size_t no_route = static_cast<std::size_t>(-1);

failure fail(errc code, std::string detail) { return {code, std::move(detail), std::nullopt, {}, {}}; }

/// The allowed origin, as it goes into the answer; nothing when the page may not read it.
std::optional<std::string_view> allowed_origin(const live_config& live, const http_request& request) {
  auto origin = request.header("origin");
  if (origin.empty()) return std::nullopt;
  for (auto& allowed : live.cors_origins)
    if (allowed == "*" || allowed == origin) return origin;
  return std::nullopt;
}

/// Takes over keys and live settings when they have changed.
void refresh(api& services) {
  auto version = services.model->admin_version();
  if (services.admin_version == version) return;
  services.admin_version = version;
  auto admin = services.model->admin();
  services.auth.load(*admin);
  services.live = {services.config->cors_origins, services.config->inline_specs};
  if (!services.hooks->settings) return;
  auto values = effective_settings(*services.hooks->settings, admin->settings);
  services.live = {values.api.cors_origins, values.api.inline_specs};
  services.rates->set({values.rate.per_minute, values.rate.burst});
}

void answer_options(api& services, const exchange& ex, const std::vector<http_method>& allowed) {
  http_response response{204, {}, {}, {{"Allow", allow_header(allowed)}}, false};
  if (auto origin = allowed_origin(services.live, ex.request()); origin && !ex.request().header("access-control-request-method").empty()) {
    response.headers.emplace_back("Access-Control-Allow-Origin", *origin);
    response.headers.emplace_back("Access-Control-Allow-Methods", allow_header(allowed));
    response.headers.emplace_back("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID");
    response.headers.emplace_back("Access-Control-Max-Age", "600");
    response.headers.emplace_back("Vary", "Origin");
  }
  ex.respond(std::move(response));
}

void refuse_method(const call& c, const std::vector<http_method>& allowed) {
  auto response = problem_response(fail(errc::method_not_allowed, "this path has " + allow_header(allowed)));
  response.headers.emplace_back("Allow", allow_header(allowed));
  c.finish(std::move(response));
}

} // namespace

http_response problem_response(const failure& why, int status) {
  http_response response;
  response.status = status != 0 ? status : status_of(why);
  response.content_type = "application/problem+json";
  auto shown = why;
  if ((response.status == 429 || response.status == 503) && !shown.retry_after_ms) shown.retry_after_ms = default_retry_ms;
  if (shown.retry_after_ms) response.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(1, (*shown.retry_after_ms + 999) / 1000)));
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  response.body = render_problem(shown, response.status);
  return response;
}

call::call(api& services, exchange ex, std::size_t route, identity who, std::vector<std::string> params)
    : api_(&services), exchange_(std::move(ex)), route_(route), who_(std::move(who)), params_(std::move(params)),
      began_(exchange_.thread().now()) {}

void call::add_cors(http_response& response) const {
  auto origin = allowed_origin(api_->live, request());
  if (!origin) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", *origin);
  response.headers.emplace_back("Access-Control-Expose-Headers", "Location, Retry-After");
  response.headers.emplace_back("Vary", "Origin");
}

void call::finish(http_response response) const {
  if (!exchange_.open()) return;
  add_cors(response);
  auto took = std::chrono::duration<double>(exchange_.thread().now() - began_).count();
  api_->meters->answered(route_, response.status, took);
  exchange_.respond(std::move(response));
}

void call::json(int status, std::string body, std::string location) const {
  http_response response;
  response.status = status;
  response.body = std::move(body);
  response.headers.emplace_back("Cache-Control", "no-store");
  if (!location.empty()) response.headers.emplace_back("Location", std::move(location));
  finish(std::move(response));
}

void call::problem(const failure& why) const { finish(problem_response(why)); }

void call::problem(errc code, std::string detail, std::vector<field_problem> errors) const {
  problem(failure{code, std::move(detail), std::nullopt, std::move(errors), {}});
}

void call::stream(std::string content_type, std::function<void()> drained) const {
  http_response head;
  head.content_type = std::move(content_type);
  head.headers.emplace_back("Cache-Control", "no-store");
  head.headers.emplace_back("X-Accel-Buffering", "no");
  add_cors(head);
  auto took = std::chrono::duration<double>(exchange_.thread().now() - began_).count();
  api_->meters->answered(route_, head.status, took);
  exchange_.begin_stream(std::move(head), std::move(drained));
}

const std::vector<route>& all_routes() {
  static const auto table = [] {
    std::vector<route> all;
    for (auto part : {instance_routes, stream_routes, challenge_routes, node_routes, key_routes, settings_routes, notification_routes, backup_routes, system_routes})
      for (auto& one : part()) all.push_back(one);
    return all;
  }();
  return table;
}

void serve(api& services, exchange ex) {
  refresh(services);
  auto& request = ex.request();
  auto& routes = all_routes();
  auto match = match_route(routes, request.method, request.path);
  if (request.method == http_method::options && !match.allowed.empty()) return answer_options(services, ex, match.allowed);
  call unmatched(services, ex, no_route, {}, {});
  if (match.allowed.empty()) return unmatched.problem(errc::not_found, "there is nothing at " + std::string(request.path));
  if (!match.route) return refuse_method(unmatched, match.allowed);
  if (match.malformed || request.query_malformed) return unmatched.problem(errc::bad_request, "the address has a broken % escape");
  auto& found = routes[*match.route];
  identity who;
  if (found.needs != scope::none) {
    auto checked = services.auth.check(request);
    if (!checked) return call(services, ex, *match.route, {}, {}).problem(checked.error);
    if (!checked->scopes.has(found.needs)) {
      auto detail = "this needs a key with scope " + std::string(poseidon::to_string(found.needs));
      return call(services, ex, *match.route, {}, {}).problem(errc::forbidden, std::move(detail));
    }
    who = std::move(*checked);
  }
  found.run(call(services, std::move(ex), *match.route, std::move(who), std::move(match.params)));
}

} // namespace poseidon::gateway
