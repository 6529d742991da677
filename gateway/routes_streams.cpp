// Event streams and logs.

#include "gateway/event_stream.hpp"
#include "gateway/log_follow.hpp"
#include "gateway/routes_support.hpp"

namespace poseidon::gateway {

namespace {

/// The header wins; the parameter is for clients that can't set it on their first connection.
std::string last_event_id(const call& c, query_reader& query) {
  auto parameter = query.text("last_event_id");
  auto header = c.request().header("last-event-id");
  return header.empty() ? parameter.value_or("") : std::string(header);
}

void all_events(const call& c) {
  query_reader query(c.request());
  stream_filter filter;
  filter.type_prefix = query.text("type").value_or("");
  filter.admin = c.who().scopes.has(scope::admin);
  auto id = last_event_id(c, query);
  auto start = query.flag("state") ? stream_start::state : stream_start::now;
  if (accept_query(c, query)) open_event_stream(c, std::move(filter), id, start);
}

void instance_events(const call& c) {
  query_reader query(c.request());
  auto id = last_event_id(c, query);
  if (!accept_query(c, query)) return;
  auto item = path_instance(c);
  if (item) open_event_stream(c, {item->row->id.value, {}, false}, id, stream_start::state);
}

/// What a browser opens: the token stands for a key, for this one instance, until it ends.
void watch(const call& c) {
  query_reader query(c.request());
  auto id = last_event_id(c, query);
  auto token = query.text("token");
  if (!accept_query(c, query)) return;
  if (!token || !equal_secrets(*token, c.services().model->watch_token(c.param(0))))
    return c.problem(errc::unauthenticated, "the token does not belong to this instance");
  auto item = path_instance(c);
  if (!item) return;
  // An EventSource that is answered 204 does not connect again.
  if (!is_live(*item->row)) return c.finish({204, {}, {}, {}, false});
  open_event_stream(c, {item->row->id.value, {}, false}, id, stream_start::state);
}

void logs(const call& c) {
  query_reader query(c.request());
  read_logs what;
  bool follow = query.flag("follow");
  what.service = query.text("service").value_or("");
  what.tail = static_cast<std::uint32_t>(query.number("tail", 0, 0, 100'000));
  if (!accept_query(c, query)) return;
  auto item = path_instance(c);
  if (!item) return;
  what.instance = item->row->id;
  if (follow) return follow_logs(c, std::move(what));
  c.services().actors->logs(std::move(what), [c](outcome<log_text> reply) {
    if (!reply) return c.problem(reply.error);
    http_response response;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(reply->text);
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    c.finish(std::move(response));
  });
}

} // namespace

std::vector<route> stream_routes() {
  return {
      {http_method::get, "/v1/events", scope::read, all_events},
      {http_method::get, "/v1/instances/{id}/events", scope::read, instance_events},
      {http_method::get, "/v1/instances/{id}/logs", scope::read, logs},
      {http_method::get, "/v1/watch/{id}", scope::none, watch},
  };
}

} // namespace poseidon::gateway
