#include "nodes/edge_link/route_relay.hpp"

#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr millis journal_limit{60'000}, journal_retry{1'000};
enum token : std::uint64_t { limits = 1, journal_again };

using promise = caf::typed_response_promise<outcome<route_acked>>;

struct relay_state {
  route_relay_actor::pointer self = nullptr;
  route_relay_deps deps;
  std::optional<route_fanout> book;
  std::unordered_map<std::uint64_t, promise> tellers;
  std::uint64_t last_token = 0;
  std::optional<boot_time> armed;

  boot_time now() const { return deps.clock->boot_now(); }

  caf::result<outcome<route_acked>> tell(route_message what) {
    auto answer = self->make_response_promise<outcome<route_acked>>();
    const auto number = ++last_token;
    tellers.emplace(number, answer);
    perform(book->tell(std::move(what), number, now()));
    return answer;
  }

  void received(const edge_link_received& m) {
    auto frame = decode_link_frame(*m.frame);
    if (frame) return perform(book->received(m.link, *frame));
    perform({close_link{m.link, frame.error.detail}});
  }

  void perform(link_effects todo) {
    for (auto& each : todo)
      std::visit(overloaded{
                     [this](send_frame& m) { deps.port->send(m.to, encode(m.what)); },
                     [this](close_link& m) { close(m); },
                     [this](answer_teller& m) { answer(m); },
                     [this](ask_router& m) { std::visit([&](auto& message) { ask_own(m.request, std::move(message)); }, m.what); },
                     [](retain_routes&) {},
                 },
                 each);
    rearm();
  }

  void close(const close_link& m) {
    spdlog::warn("routes: the link to an edge is closed: {}", m.why);
    deps.port->close(m.which);
  }

  void answer(answer_teller& m) {
    const auto at = tellers.find(m.token);
    if (at == tellers.end()) return;
    auto to = at->second;
    tellers.erase(at);
    to.deliver(std::move(m.how));
  }

  template <class Message>
  void ask_own(std::uint64_t request, Message message) {
    ask(
        self, deps.router, deps.options.answer_limit, std::move(message),
        [this, request](const route_acked& ack) { perform(book->routed(request, outcome<route_acked>{ack})); },
        [this, request](const failure& why) { perform(book->routed(request, outcome<route_acked>{why})); });
  }

  void ask_journal() {
    ask(
        self, deps.journal, journal_limit, load_records{}, [this](const std::shared_ptr<const journal_contents>& contents) { hold(*contents); },
        [this](const failure& why) {
          spdlog::warn("routes: the journal does not say which instances the node holds: {}", why.detail);
          arm(journal_again, now() + journal_retry);
        });
  }

  void hold(const journal_contents& contents) {
    std::vector<hold_route> held;
    for (const auto& record : contents.records)
      if (record->phase != phase::gone) held.push_back({record->host, record->instance, record->epoch});
    perform(book->hold(held));
  }

  void woken(std::uint64_t which) {
    if (which == journal_again) return ask_journal();
    armed.reset();
    perform(book->due(now()));
  }

  void arm(token which, boot_time due) { self->send(deps.timers, arm_timer{caf::actor_cast<timer_sink>(self), which, due}); }
  void rearm() {
    const auto next = book->next();
    if (!next || (armed && *armed <= *next)) return; // one that comes too early finds nothing due, and arms the right one
    armed = next;
    arm(limits, *next);
  }
};

route_relay_actor::behavior_type relay_behavior(route_relay_actor::stateful_pointer<relay_state> self, route_relay_deps deps) {
  install_handlers(self, "route relay");
  auto* state = &self->state;
  state->self = self;
  state->deps = std::move(deps);
  state->deps.options.own_router = static_cast<bool>(state->deps.router);
  state->book.emplace(state->deps.options);
  state->ask_journal();
  return {
      [state](const put_route& what) { return state->tell(what); },
      [state](const end_route& what) { return state->tell(what); },
      [state](const announce_route& what) { return state->tell(what); },
      [state](const edge_link_opened& m) { state->perform(state->book->opened(m.link, state->now())); },
      [state](const edge_link_received& m) { state->received(m); },
      [state](const edge_link_lost& m) { state->perform(state->book->closed(m.link)); },
      [state](const timer_due& m) { state->woken(m.token); },
  };
}

} // namespace

route_relay_actor spawn_route_relay(caf::actor_system& system, route_relay_deps deps) { return system.spawn(relay_behavior, std::move(deps)); }

} // namespace poseidon
