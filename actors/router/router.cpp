#include "actors/router/router.hpp"

#include "actors/kit/handlers.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

struct router_state {
  router_deps deps;

  outcome<route_acked> on_put(const put_route& wanted, const node_name& node) {
    const auto now = deps.clock->wall_now();
    return perform(deps.table.put(wanted.route, now, node), wanted.route.host, {wanted.route.instance, wanted.route.epoch}, now);
  }

  outcome<route_acked> on_end(const end_route& wanted) {
    const auto now = deps.clock->wall_now();
    return perform(deps.table.end(wanted, now), wanted.host, {wanted.instance, wanted.epoch}, now);
  }

  outcome<route_acked> on_announce(const announce_route& wanted) {
    const auto now = deps.clock->wall_now();
    return perform(deps.table.announce(wanted, now), wanted.host, {wanted.instance, wanted.epoch}, now);
  }

  void on_retain(const retain_node_routes& held) {
    const auto dropped = deps.table.retain(held.node, held.hosts, deps.clock->wall_now());
    if (dropped.empty()) return;
    spdlog::info("router: node {} holds {} instances no more that were routed here", held.node.str(), dropped.size());
    deps.apply(dropped);
  }

  outcome<route_acked> perform(route_verdict verdict, const std::string& host, route_acked ack, wall_time now) {
    if (verdict.refused) {
      spdlog::warn("router: {} of instance {} refused: {}", host, ack.instance.str(), verdict.refused.detail);
      return std::move(verdict.refused);
    }
    if (!verdict.changes.empty()) deps.apply(verdict.changes);
    forget_old(now);
    return ack;
  }

  /// Old ends need no timer: the data plane itself takes no notice of them any more; this only gives their memory back.
  void forget_old(wall_time now) {
    if (const auto old = deps.table.sweep(now); !old.empty()) deps.apply(old);
  }
};

edge_router_actor::behavior_type router_behavior(edge_router_actor::stateful_pointer<router_state> self, router_deps deps) {
  install_handlers(self, "router");
  auto* state = &self->state;
  state->deps = std::move(deps);
  return {
      [state](const put_route& wanted) { return state->on_put(wanted, {}); },
      [state](const end_route& wanted) { return state->on_end(wanted); },
      [state](const announce_route& wanted) { return state->on_announce(wanted); },
      [state](const put_node_route& wanted) { return state->on_put(wanted.what, wanted.node); },
      [state](const retain_node_routes& held) { state->on_retain(held); },
  };
}

} // namespace

edge_router_actor spawn_router(caf::actor_system& system, router_deps deps) { return system.spawn(router_behavior, std::move(deps)); }

} // namespace poseidon
