// Starting, reading, extending, resetting and stopping instances.

#include "gateway/api.hpp"
#include "gateway/routes_support.hpp"

namespace poseidon::gateway {

namespace {

constexpr std::size_t longest_idempotency_key = 255;

std::string location_of(const row_ptr& row) { return "/v1/instances/" + row->id.value; }

/// The header's key, scoped to who sent it; a failure when it can't be one.
outcome<std::string> idempotency_key(const call& c) {
  auto sent = c.request().header("idempotency-key");
  if (sent.empty()) return std::string{};
  bool printable = std::all_of(sent.begin(), sent.end(), [](char ch) { return ch > 0x20 && ch < 0x7F; });
  if (sent.size() > longest_idempotency_key || !printable)
    return failure{errc::invalid_field, "the Idempotency-Key header is no key", std::nullopt, {{"Idempotency-Key", "expected 1 to 255 printable ASCII characters"}}, {}};
  return c.who().actor + ":" + std::string(sent);
}

/// The spec of an inline start; null for a start of a challenge.
outcome<spec_ptr> inline_spec(const call& c, const nlohmann::json& spec) {
  if (spec.is_null()) return spec_ptr{};
  auto& services = c.services();
  if (!c.who().scopes.has(scope::admin) && !services.live.inline_specs)
    return make_failure(errc::forbidden, "an inline spec needs a key with scope admin (or the setting api.inline_specs)");
  if (!services.hooks->inline_spec) return make_failure(errc::forbidden, "this gateway takes no inline specs");
  return services.hooks->inline_spec(spec);
}

void started_now(const call& c, const wait_request& wait, outcome<started> reply) {
  if (!reply) return c.problem(reply.error);
  auto& row = reply->row;
  if (!row) return c.problem(errc::internal, "the start was judged, but names no instance");
  c.services().model->observe(row);
  bool fresh = reply->kind == verdict_kind::accepted || reply->kind == verdict_kind::queued;
  answer_after_wait(c, fresh ? 202 : 200, row, wait, location_of(row));
}

void start(const call& c) {
  query_reader query(c.request());
  auto wait = query.wait(c.services().config->wait_limit);
  if (!accept_query(c, query)) return;
  auto body = read_body(c.request());
  if (!body) return c.problem(body.error);
  auto wanted = read_start(*body);
  if (!wanted) return c.problem(wanted.error);
  auto key = idempotency_key(c);
  if (!key) return c.problem(key.error);
  auto spec = inline_spec(c, wanted->spec);
  if (!spec) return c.problem(spec.error);
  auto& services = c.services();
  if (auto refused = services.rates->take(key_of(wanted->owner), services.clock->boot_now())) return c.problem(refused);
  start_instance what;
  what.request = request_id{to_string(mint<entry_id>(*services.random))};
  what.idempotency_key = std::move(*key);
  what.body_digest = std::move(wanted->digest);
  what.owner = std::move(wanted->owner);
  what.challenge = std::move(wanted->challenge);
  what.inline_spec = std::move(*spec);
  what.metadata = std::move(wanted->metadata);
  what.flag = std::move(wanted->flag);
  what.actor = c.who().actor;
  services.actors->start(std::move(what), [c, wait](outcome<started> reply) { started_now(c, wait, std::move(reply)); });
}

void list(const call& c) {
  query_reader query(c.request());
  instance_query wanted;
  wanted.user = query.text("user");
  wanted.team = query.text("team");
  wanted.challenge = query.text("challenge");
  wanted.node = query.text("node");
  wanted.states = query.words<instance_state>("state");
  wanted.limit = query.number("limit", 100, 1, 1000);
  wanted.cursor = query.text("cursor").value_or("");
  if (!accept_query(c, query)) return;
  auto& services = c.services();
  auto page = services.model->list(wanted);
  if (!page.cursor_valid)
    return c.problem(errc::invalid_field, "the query has invalid parameters", {{"cursor", "this is no cursor of ours"}});
  auto now = services.now();
  c.json(200, render_list(page.items, page.next, [&](json_writer& out, auto& item) { write_instance(out, item, *services.urls, now); }));
}

void show(const call& c) {
  query_reader query(c.request());
  auto wait = query.wait(c.services().config->wait_limit);
  if (!accept_query(c, query)) return;
  auto item = path_instance(c);
  if (!item) return;
  if (wait.wanted) return answer_after_wait(c, 200, item->row, wait);
  explain_for(c, *item);
  c.json(200, render_instance(*item, *c.services().urls, c.services().now()));
}

/// Extensions and resets count as the owner's, like starts.
bool within_rate(const call& c, const instance_row& row) {
  auto refused = c.services().rates->take(row.key, c.services().clock->boot_now());
  if (refused) c.problem(refused);
  return !refused;
}

then<row_ptr> answer_with_row(const call& c, int status) {
  return [c, status](outcome<row_ptr> reply) {
    if (!reply) return c.problem(reply.error);
    if (!*reply) return c.problem(errc::unknown_instance, "there is no instance " + c.param(0));
    c.services().model->observe(*reply);
    answer_row(c, status, *reply);
  };
}

void extend(const call& c) {
  auto item = path_instance(c);
  if (!item || !within_rate(c, *item->row)) return;
  c.services().actors->extend({item->row->id, c.who().actor}, answer_with_row(c, 200));
}

void reset(const call& c) {
  auto item = path_instance(c);
  if (!item || !within_rate(c, *item->row)) return;
  c.services().actors->reset({item->row->id, c.who().actor}, answer_with_row(c, 200));
}

/// Why a client may stop something; other reasons are the engine's own.
std::optional<end_reason> stop_reason(query_reader& query) {
  auto text = query.text("reason");
  if (!text) return end_reason::stopped;
  auto reason = enum_from_string<end_reason>(*text);
  bool allowed = reason == end_reason::stopped || reason == end_reason::solved || reason == end_reason::idle || reason == end_reason::evicted;
  if (!allowed) query.problem("reason", "expected stopped, solved, idle or evicted");
  return allowed ? reason : std::nullopt;
}

void stop(const call& c) {
  query_reader query(c.request());
  auto reason = stop_reason(query);
  auto wait = query.wait(c.services().config->wait_limit);
  if (!accept_query(c, query)) return;
  auto item = path_instance(c);
  if (!item) return;
  if (!is_live(*item->row)) return answer_row(c, 200, item->row);
  bool again = api_state(*item->row) == instance_state::stopping;
  c.services().actors->stop({item->row->id, *reason, c.who().actor}, [c, again, wait](outcome<row_ptr> reply) {
    if (!reply) return c.problem(reply.error);
    if (!*reply) return c.problem(errc::unknown_instance, "there is no instance " + c.param(0));
    c.services().model->observe(*reply);
    answer_after_wait(c, again ? 200 : 202, *reply, wait);
  });
}

void stats(const call& c) {
  auto item = path_instance(c);
  if (!item) return;
  c.services().actors->stats({item->row->id}, [c](outcome<group_stats> reply) {
    if (!reply) return c.problem(reply.error);
    std::string text;
    json_writer out(text);
    out.begin_object().number("memory_bytes", reply->memory_bytes).number("memory_limit_bytes", reply->memory_limit_bytes);
    out.number("cpu_usage_ns", reply->cpu_usage_ns).number("pids", reply->pids).end_object();
    c.json(200, std::move(text));
  });
}

} // namespace

void stop_many(const call& c); // routes_stop_many.cpp

std::vector<route> instance_routes() {
  return {
      {http_method::post, "/v1/instances", scope::platform, start},
      {http_method::get, "/v1/instances", scope::read, list},
      {http_method::delete_, "/v1/instances", scope::platform, stop_many},
      {http_method::get, "/v1/instances/{id}", scope::read, show},
      {http_method::delete_, "/v1/instances/{id}", scope::platform, stop},
      {http_method::post, "/v1/instances/{id}/extend", scope::platform, extend},
      {http_method::post, "/v1/instances/{id}/reset", scope::platform, reset},
      {http_method::get, "/v1/instances/{id}/stats", scope::read, stats},
  };
}

} // namespace poseidon::gateway
