#include "nodes/edge_admin.hpp"

#include "gateway/api.hpp"

namespace poseidon {

namespace {

constexpr std::chrono::milliseconds end_grace{200};

gateway::server_config config_of(std::vector<std::string> listen) {
  gateway::server_config config;
  config.listen = std::move(listen);
  config.limits.connections = 256;
  config.limits.body_bytes = 1024;
  return config;
}

gateway::http_response malformed(int status, std::string_view detail) {
  return gateway::problem_response({errc::bad_request, std::string{detail}, {}, {}, {}}, status);
}

gateway::http_response other_method() {
  auto response = gateway::problem_response({errc::method_not_allowed, "this path has GET", {}, {}, {}});
  response.headers.emplace_back("Allow", "GET, HEAD");
  return response;
}

gateway::http_response reply_to(const gateway::http_request& request, bool draining) {
  using gateway::http_method;
  if (request.path != "/healthz") return gateway::problem_response({errc::not_found, "the edge has /healthz", {}, {}, {}});
  if (request.method != http_method::get && request.method != http_method::head)
    return other_method();
  gateway::http_response response;
  response.status = draining ? 503 : 200;
  response.content_type = "application/json";
  response.body = draining ? R"({"status":"draining"})" : R"({"status":"ok"})";
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

} // namespace

edge_admin::edge_admin(std::vector<std::string> listen) : http_(config_of(std::move(listen)), malformed) {}

edge_admin::~edge_admin() { http_.stop(end_grace); }

std::vector<gateway::bound_address> edge_admin::start() {
  auto bound = http_.bind();
  http_.run({[now = checks_](gateway::exchange ex) { ex.respond(reply_to(ex.request(), now->ending || now->node_draining)); }});
  return bound;
}

} // namespace poseidon
