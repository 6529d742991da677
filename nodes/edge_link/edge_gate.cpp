#include "nodes/edge_link/edge_gate.hpp"

#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr millis router_limit{10'000};

struct gate_state {
  edge_gate_actor::pointer self = nullptr;
  edge_gate_deps deps;
  std::optional<link_gate> gate;
  std::optional<boot_time> armed;

  boot_time now() const { return deps.clock->boot_now(); }

  void received(const edge_link_received& m) {
    auto frame = decode_link_frame(*m.frame);
    if (frame) return perform(gate->received(m.link, *frame));
    perform({close_link{m.link, frame.error.detail}});
  }

  void perform(link_effects todo) {
    for (auto& each : todo)
      std::visit(overloaded{
                     [this](send_frame& m) { deps.port->send(m.to, encode(m.what)); },
                     [this](close_link& m) { close(m); },
                     [](answer_teller&) {},
                     [this](ask_router& m) { route(m); },
                     [this](retain_routes& m) { self->send(deps.router, retain_node_routes{std::move(m.node), std::move(m.hosts)}); },
                 },
                 each);
    rearm();
  }

  void close(const close_link& m) {
    spdlog::warn("edge: the link to a node is closed: {}", m.why);
    deps.port->close(m.which);
  }

  void route(ask_router& m) {
    std::visit(overloaded{
                   [&](put_route& put) { pass_on(m, put_node_route{m.node, std::move(put)}); },
                   [&](auto& other) { pass_on(m, std::move(other)); },
               },
               m.what);
  }

  template <class Message>
  void pass_on(const ask_router& m, Message message) {
    ask(
        self, deps.router, router_limit, std::move(message),
        [this, link = m.from, request = m.request](const route_acked& ack) { perform(gate->routed(link, request, outcome<route_acked>{ack})); },
        [this, link = m.from, request = m.request](const failure& why) { perform(gate->routed(link, request, outcome<route_acked>{why})); });
  }

  void woken() {
    armed.reset();
    perform(gate->due(now()));
  }
  void rearm() {
    const auto next = gate->next();
    if (!next || (armed && *armed <= *next)) return;
    armed = next;
    self->send(deps.timers, arm_timer{caf::actor_cast<timer_sink>(self), 0, *next});
  }
};

edge_gate_actor::behavior_type gate_behavior(edge_gate_actor::stateful_pointer<gate_state> self, edge_gate_deps deps) {
  install_handlers(self, "edge gate");
  auto* state = &self->state;
  state->self = self;
  state->deps = std::move(deps);
  state->gate.emplace(state->deps.options);
  return {
      [state](const edge_link_opened& m) { state->perform(state->gate->opened(m.link, state->now())); },
      [state](const edge_link_received& m) { state->received(m); },
      [state](const edge_link_lost& m) { state->perform(state->gate->closed(m.link)); },
      [state](const timer_due&) { state->woken(); },
  };
}

} // namespace

edge_gate_actor spawn_edge_gate(caf::actor_system& system, edge_gate_deps deps) { return system.spawn(gate_behavior, std::move(deps)); }

} // namespace poseidon
