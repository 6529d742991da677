#include "gateway/api.hpp"
#include "gateway/routes_support.hpp"

namespace poseidon::gateway {

namespace {

/// One request that waits for a state.
struct pending_wait : std::enable_shared_from_this<pending_wait> {
  call c;
  int status;
  instance_id id;
  wait_request wanted;
  std::string location;
  row_ptr last;
  hub::waiter_id waiter = 0;
  loop::timer_id timer = 0;
  bool over = false;

  pending_wait(const call& the_call, int s, const row_ptr& row, const wait_request& w, std::string l)
      : c(the_call), status(s), id(row->id), wanted(w), location(std::move(l)), last(row) {}

  /// True when it is over.
  bool look() {
    if (over) return true;
    if (auto item = c.services().model->find(id.value)) last = item->row->changed >= last->changed ? item->row : last;
    if (!wanted.satisfied(*last)) return false;
    finish();
    return true;
  }

  void finish() {
    if (std::exchange(over, true)) return;
    c.services().streams->cancel(id.value, waiter);
    c.wire().thread().cancel(timer);
    answer_row(c, status, last, location);
  }

  void begin() {
    auto self = shared_from_this();
    waiter = c.services().streams->wait(id.value, [self] { return self->look(); });
    timer = c.wire().thread().after(wanted.timeout, [self] { self->finish(); });
    c.wire().on_closed([self] { self->finish(); });
    look();
  }
};

} // namespace

instance_item item_for(api& services, const row_ptr& row) {
  auto item = services.model->find(row->id.value).value_or(instance_item{});
  if (!item.row || item.row->changed < row->changed) item.row = row;
  if (item.watch_token.empty() && is_live(*row)) item.watch_token = services.model->watch_token(row->id.value);
  return item;
}

void explain_for(const call& c, instance_item& item) {
  if (c.request().method != http_method::get || !c.who().scopes.has(scope::platform)) return;
  item.explained = true;
  item.placement = c.services().model->placement_of(item.row->id.value);
}

void answer_row(const call& c, int status, const row_ptr& row, std::string location) {
  auto& services = c.services();
  auto item = item_for(services, row);
  explain_for(c, item);
  c.json(status, render_instance(item, *services.urls, services.now()), std::move(location));
}

void answer_after_wait(const call& c, int status, const row_ptr& row, const wait_request& wait, std::string location) {
  if (!wait.wanted || wait.timeout.count() == 0 || wait.satisfied(*row)) return answer_row(c, status, row, std::move(location));
  std::make_shared<pending_wait>(c, status, row, wait, std::move(location))->begin();
}

std::optional<instance_item> path_instance(const call& c) {
  auto item = c.services().model->find(c.param(0));
  if (!item) c.problem(errc::unknown_instance, "there is no instance " + c.param(0));
  return item;
}

bool accept_query(const call& c, query_reader& query) {
  auto wrong = query.finish();
  if (wrong) c.problem(*wrong);
  return !wrong;
}

void append_for(const call& c, entry_body body, std::function<void()> done) {
  c.services().actors->append(std::move(body), [c, done = std::move(done)](outcome<folded> reply) {
    if (!reply) return c.problem(reply.error);
    if (reply->verdict.kind == verdict_kind::refused) return c.problem(reply->verdict.why);
    done();
  });
}

} // namespace poseidon::gateway
