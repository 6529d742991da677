#include "nodes/drain_watch.hpp"

#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"

namespace poseidon {

bool edge_drains(const std::map<node_name, std::shared_ptr<const node_row>>& nodes, const machine_id& machine, const node_name& name) {
  std::size_t here = 0, draining = 0;
  for (const auto& [known, row] : nodes) {
    if (row->lost || row->machine != machine) continue;
    const bool drains = row->mode == node_mode::draining;
    if (known == name) return drains;
    ++here;
    draining += drains;
  }
  return here > 0 && draining == here;
}

namespace {

struct watch_state {
  drain_watch_actor::pointer self;
  drain_watch_deps deps;
  std::map<node_name, std::shared_ptr<const node_row>> nodes;
  bool has_image = false, draining = false;

  void subscribe() {
    ask(
        self, deps.ledger, deps.ask_timeout, subscribe_ledger{ledger_subscriber{self}},
        [this](ledger_image_ptr image) {
          has_image = true;
          nodes.clear();
          for (auto& row : image->nodes) nodes[row->name] = row;
          judge();
        },
        [this](failure) { self->send(deps.timers, arm_timer{timer_sink{self}, 0, deps.clock->boot_now() + deps.retry}); });
  }

  void changed(const ledger_changes& changes) {
    if (!has_image) return; // the image that is on its way holds them
    for (auto& change : *changes)
      for (auto& row : change.nodes) nodes[row->name] = row;
    judge();
  }

  void judge() {
    const bool now = edge_drains(nodes, deps.machine, deps.name);
    if (std::exchange(draining, now) != now) deps.tell(now);
  }
};

drain_watch_actor::behavior_type drain_watch(drain_watch_actor::stateful_pointer<watch_state> self, drain_watch_deps deps) {
  install_handlers(self, "drain watch");
  auto& state = self->state;
  state.self = self;
  state.deps = std::move(deps);
  state.subscribe();
  return {
      [&state](const ledger_changes& changes) { state.changed(changes); },
      [&state](const timer_due&) { state.subscribe(); },
  };
}

} // namespace

drain_watch_actor spawn_drain_watch(caf::actor_system& system, drain_watch_deps deps) { return system.spawn(drain_watch, std::move(deps)); }

} // namespace poseidon
