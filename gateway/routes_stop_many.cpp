// DELETE /v1/instances: many at once, a bounded number in flight.

#include "gateway/api.hpp"
#include "gateway/routes_support.hpp"

#include <deque>

namespace poseidon::gateway {

namespace {

constexpr std::size_t in_flight_most = 64;

struct stop_run : std::enable_shared_from_this<stop_run> {
  call c;
  end_reason reason;
  std::deque<instance_id> waiting;
  std::vector<row_ptr> stopped;
  std::vector<std::pair<instance_id, failure>> failed;
  std::size_t in_flight = 0;

  stop_run(const call& the_call, end_reason why) : c(the_call), reason(why) {}

  void go() {
    while (in_flight < in_flight_most && !waiting.empty()) {
      auto id = waiting.front();
      waiting.pop_front();
      ++in_flight;
      c.services().actors->stop({id, reason, c.who().actor}, [self = shared_from_this(), id](outcome<row_ptr> reply) { self->answered(id, std::move(reply)); });
    }
    if (in_flight == 0) finish();
  }

  void answered(const instance_id& id, outcome<row_ptr> reply) {
    --in_flight;
    if (reply && *reply) {
      c.services().model->observe(*reply);
      stopped.push_back(std::move(*reply));
    } else if (!reply) {
      failed.emplace_back(id, std::move(reply.error));
    }
    go();
  }

  void finish() {
    std::string text;
    json_writer out(text);
    out.begin_object().key("items").begin_array();
    for (auto& row : stopped) write_instance(out, item_for(c.services(), row), *c.services().urls, c.services().now());
    out.end_array().null("next").number("stopping", stopped.size()).key("failed").begin_array();
    for (auto& [id, why] : failed)
      out.begin_object().text("id", id.value).text("code", to_string(why.code)).text("detail", why.detail).end_object();
    out.end_array().end_object();
    c.json(202, std::move(text));
  }
};

/// Every live instance that fits; the view gives pages.
std::deque<instance_id> live_matches(view& model, instance_query query) {
  std::deque<instance_id> ids;
  query.states = {instance_state::queued, instance_state::pending, instance_state::running, instance_state::stopping};
  query.limit = 1000;
  do {
    auto page = model.list(query);
    for (auto& item : page.items) ids.push_back(item.row->id);
    query.cursor = page.next;
  } while (!query.cursor.empty());
  return ids;
}

} // namespace

void stop_many(const call& c) {
  query_reader query(c.request());
  instance_query wanted;
  wanted.user = query.text("user");
  wanted.team = query.text("team");
  wanted.challenge = query.text("challenge");
  wanted.node = query.text("node");
  bool all = query.flag("all");
  auto text = query.text("reason");
  auto reason = text ? enum_from_string<end_reason>(*text) : std::optional(end_reason::stopped);
  if (reason != end_reason::stopped && reason != end_reason::solved && reason != end_reason::evicted) query.problem("reason", "expected stopped, solved or evicted");
  bool any = wanted.user || wanted.team || wanted.challenge || wanted.node;
  if (any == all) query.problem("all", "say which (user, team, challenge, node), or all=true");
  if (!accept_query(c, query)) return;
  auto run = std::make_shared<stop_run>(c, *reason);
  run->waiting = live_matches(*c.services().model, std::move(wanted));
  run->go();
}

} // namespace poseidon::gateway
