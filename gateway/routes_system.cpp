// Operations: health, metrics, documentation, pause, garbage.

#include "gateway/api.hpp"
#include "gateway/assets.hpp"
#include "gateway/routes_support.hpp"

namespace poseidon::gateway {

/// POST /v1/pause.
struct pause_body {
  std::string message;
};
POSEIDON_FIELDS(pause_body, message)

namespace {

/// The process answers: that is all.
void healthz(const call& c) { c.json(200, "{\"status\":\"ok\"}"); }

/// New starts would be answered: the view is there, the ledger connected, nothing drains.
void readyz(const call& c) {
  c.services().actors->ledger([c](outcome<ledger_status> status) {
    auto& services = c.services();
    bool loaded = services.model->loaded(), connected = status && status->connected, draining = services.draining->load();
    const auto trouble = services.hooks->trouble ? services.hooks->trouble() : failure{};
    bool ready = loaded && connected && !draining && !trouble;
    std::string text;
    json_writer out(text);
    out.begin_object().text("status", ready ? "ready" : "not ready").boolean("loaded", loaded).boolean("ledger", connected);
    out.boolean("rebuilding", status && !status->gate_open).boolean("draining", draining);
    out.number("nodes", services.model->nodes().size()).text_or_null("node_trouble", trouble.detail).end_object();
    c.json(ready ? 200 : 503, std::move(text));
  });
}

void status(const call& c) {
  auto& services = c.services();
  auto admin = services.model->admin();
  auto counts = services.model->count_by_state();
  std::string text;
  json_writer out(text);
  out.begin_object().text("version", POSEIDON_VERSION).text("position", to_string(services.model->at()));
  out.boolean("paused", admin->paused).text_or_null("pause_message", admin->pause_message).key("instances").begin_object();
  for (auto state : poseidon_enum_values(instance_state{})) out.number(to_string(state), counts[static_cast<std::size_t>(state)]);
  out.end_object().number("nodes", services.model->nodes().size()).number("challenges", services.model->challenges().size());
  c.json(200, (out.end_object(), std::move(text)));
}

void metrics_page(const call& c) {
  auto& services = c.services();
  http_response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = services.meters->render(*services.model, services.connections(), services.open_streams->load(),
                                           services.hooks->receivers ? services.hooks->receivers().value_or(std::vector<receiver_status>{}) : std::vector<receiver_status>{});
  c.finish(std::move(response));
}

void openapi(const call& c) {
  http_response response;
  response.body = openapi_text();
  c.finish(std::move(response));
}

void docs(const call& c) {
  http_response response;
  response.content_type = "text/html; charset=utf-8";
  response.body = docs_page();
  response.headers.emplace_back("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  c.finish(std::move(response));
}

void answer_paused(const call& c, bool paused, const std::string& message) {
  std::string text;
  json_writer out(text);
  out.begin_object().boolean("paused", paused).text_or_null("message", message).end_object();
  c.json(200, std::move(text));
}

void pause(const call& c) {
  auto body = read_body(c.request(), true);
  if (!body) return c.problem(body.error);
  auto wanted = from_json<pause_body>(*body);
  if (!wanted) return c.problem(wanted.error);
  if (wanted->message.size() > 1024) return c.problem(errc::invalid_field, "the request has invalid fields", {{"message", "must be at most 1024 bytes long"}});
  append_for(c, set_pause_entry{true, wanted->message}, [c, message = wanted->message] { answer_paused(c, true, message); });
}

void resume(const call& c) {
  append_for(c, set_pause_entry{false, {}}, [c] { answer_paused(c, false, {}); });
}

void gc(const call& c) {
  query_reader query(c.request());
  bool dry_run = query.flag("dry_run");
  if (!accept_query(c, query)) return;
  c.services().actors->collect({dry_run}, [c, dry_run](outcome<garbage_report> report) {
    if (!report) return c.problem(report.error);
    std::string text;
    json_writer out(text);
    out.begin_object().boolean("dry_run", dry_run).key("removed").begin_array();
    for (auto& line : report->removed) out.text(line);
    out.end_array().key("kept").begin_array();
    for (auto& line : report->kept) out.text(line);
    out.end_array().end_object();
    c.json(200, std::move(text));
  });
}

} // namespace

std::vector<route> system_routes() {
  return {
      {http_method::get, "/healthz", scope::none, healthz},
      {http_method::get, "/readyz", scope::none, readyz},
      {http_method::get, "/metrics", scope::metrics, metrics_page},
      {http_method::get, "/openapi.json", scope::none, openapi},
      {http_method::get, "/docs", scope::none, docs},
      {http_method::get, "/v1/status", scope::read, status},
      {http_method::post, "/v1/pause", scope::admin, pause},
      {http_method::post, "/v1/resume", scope::admin, resume},
      {http_method::post, "/v1/gc", scope::admin, gc},
  };
}

} // namespace poseidon::gateway
