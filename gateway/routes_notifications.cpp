// Notifications: receivers and how they fare, dead letters.

#include "gateway/api.hpp"
#include "gateway/routes_support.hpp"

#include <charconv>

namespace poseidon::gateway {

namespace {

std::optional<std::vector<receiver_status>> receivers_of(const call& c) {
  auto& hooks = *c.services().hooks;
  return hooks.receivers ? hooks.receivers() : std::nullopt;
}

void write_receiver(json_writer& out, const receiver_status& r) {
  out.begin_object().text("name", r.name).text("type", to_string(r.type)).text("state", r.failing_since ? "failing" : "ok");
  out.number("pending", r.pending).number("dead", r.dead).number("delivered", r.delivered).number("retried", r.retried);
  out.time_or_null("last_delivered_at", r.last_delivered_at).time_or_null("failing_since", r.failing_since);
  out.text_or_null("last_error", r.last_error).end_object();
}

void list_receivers(const call& c) {
  c.json(200, render_list(receivers_of(c).value_or(std::vector<receiver_status>{}), {}, write_receiver));
}

void write_letter(json_writer& out, const dead_letter& letter) {
  out.begin_object().text("id", std::to_string(letter.id)).text("receiver", letter.receiver).text("event", letter.event);
  out.text("type", letter.type).text_or_null("instance", letter.instance).text_or_null("challenge", letter.challenge);
  out.time("died_at", letter.died_at).number("attempts", letter.attempts).text("reason", letter.reason).end_object();
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void list_dead(const call& c) {
  query_reader query(c.request());
  list_dead_letters wanted;
  wanted.limit = static_cast<std::uint32_t>(query.number("limit", 100, 1, 1000));
  wanted.receiver = query.text("receiver").value_or("");
  if (auto cursor = query.text("cursor"); cursor && !cursor->empty()) {
    if (auto after = number_in(*cursor)) wanted.after = *after;
    else query.problem("cursor", "is none of this list's");
  }
  if (!accept_query(c, query)) return;
  if (!receivers_of(c)) return c.json(200, render_list(std::vector<dead_letter>{}, {}, write_letter));
  c.services().actors->dead(wanted, [c](outcome<dead_letters> found) {
    if (!found) return c.problem(found.error);
    const auto next = found->more ? std::to_string(found->items.back().id) : std::string{};
    c.json(200, render_list(found->items, next, write_letter));
  });
}

void replay(const call& c, const replay_dead_letters& what) {
  if (!receivers_of(c)) return c.problem(errc::not_found, "this process has no notifier: name receivers in notify.receivers");
  c.services().actors->replay(what, [c](outcome<replayed_letters> done) {
    if (!done) return c.problem(done.error);
    std::string text;
    json_writer out(text);
    out.begin_object().number("replayed", done->count).end_object();
    c.json(202, std::move(text));
  });
}

void replay_one(const call& c) {
  const auto id = number_in(c.param(0));
  if (!id || *id == 0) return c.problem(errc::not_found, "there is no dead letter " + c.param(0));
  replay(c, {*id, {}});
}

void replay_many(const call& c) {
  query_reader query(c.request());
  const bool all = query.flag("all");
  const auto receiver = query.text("receiver").value_or("");
  if (!all && receiver.empty()) query.problem("all", "must be true, or name a receiver: which dead letters shall be sent again?");
  if (!accept_query(c, query)) return;
  replay(c, {0, receiver});
}

} // namespace

std::vector<route> notification_routes() {
  return {
      {http_method::get, "/v1/notifications", scope::admin, list_receivers},
      {http_method::get, "/v1/notifications/dead", scope::admin, list_dead},
      {http_method::post, "/v1/notifications/dead/replay", scope::admin, replay_many},
      {http_method::post, "/v1/notifications/dead/{id}/replay", scope::admin, replay_one},
  };
}

} // namespace poseidon::gateway
