#include "nodes/node_watch.hpp"

#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"

namespace poseidon {

namespace {

struct watch_state {
  node_watch_actor::pointer self;
  node_watch_deps deps;

  void look() {
    ask(self, deps.supervisor, millis{5'000}, get_node_status{},
        [this](const node_status& status) {
          deps.node->set_trouble(status.registered ? failure{} : status.trouble);
          if (*deps.node->images() != status.images) deps.node->set_images(std::make_shared<const std::vector<std::string>>(status.images));
          look_later();
        },
        [this](const failure& why) {
          deps.node->set_trouble(why);
          look_later();
        });
  }
  void look_later() {
    self->send(deps.timers, arm_timer{caf::actor_cast<timer_sink>(self), 0, deps.clock->boot_now() + deps.period});
  }
};

node_watch_actor::behavior_type node_watch(node_watch_actor::stateful_pointer<watch_state> self, node_watch_deps deps) {
  install_handlers(self, "node watch");
  auto& state = self->state;
  state.self = self;
  state.deps = std::move(deps);
  state.look();
  return {[&state](const timer_due&) { state.look(); }};
}

} // namespace

node_watch_actor spawn_node_watch(caf::actor_system& system, node_watch_deps deps) { return system.spawn(node_watch, std::move(deps)); }

} // namespace poseidon
