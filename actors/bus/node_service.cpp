#include "actors/bus/node_service.hpp"

#include "actors/bus/wire.hpp"
#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"
#include "messages/subjects.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

struct command_came {
  using poseidon_message = void;
  std::string frame;
  std::function<void(std::string)> answer;
};
using service = caf::typed_actor<reacts_to<command_came>>;

struct service_state {
  service::pointer self;
  node_service_deps deps;
  std::size_t in_flight = 0;

  explicit service_state(service::pointer me) : self(me) {}

  void start(node_service_deps given) {
    deps = std::move(given);
    deps.bus->subscribe(subjects::node_commands(deps.cluster, deps.name), {},
                        [to = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl())](bus_message came) {
                          if (auto alive = caf::actor_cast<caf::strong_actor_ptr>(to))
                            caf::anon_send(caf::actor_cast<service>(alive), command_came{std::move(came.frame), std::move(came.answer)});
                        });
  }

  void came(const command_came& m) {
    auto e = decode_envelope(m.frame);
    if (!e) return refuse(m, std::move(e.error));
    if (in_flight >= deps.most_in_flight) return refuse(m, {errc::queue_full, "too many commands are in flight", 1'000, {}, {}});
#define POSEIDON_SERVE(message, reply) \
  if (e->kind == #message) return serve<reply>(decode_##message(*e), m);
    POSEIDON_NODE_COMMANDS(POSEIDON_SERVE)
#undef POSEIDON_SERVE
    refuse(m, {errc::bad_request, "no command of a node is called " + e->kind, {}, {}, {}});
  }

  void refuse(const command_came& m, failure why) { m.answer(encode_reply(outcome<done>{std::move(why)})); }

  template <class T, class Command>
  void serve(outcome<Command> command, const command_came& m) {
    if (!command) return refuse(m, std::move(command.error));
    ++in_flight;
    const auto limit = std::is_same_v<Command, collect_garbage> ? deps.garbage_limit : deps.limit;
    ask(
        self, deps.node, limit, std::move(*command),
        [this, answer = m.answer](T value) {
          --in_flight;
          answer(encode_reply(outcome<T>{std::move(value)}));
        },
        [this, answer = m.answer](failure why) {
          --in_flight;
          answer(encode_reply(outcome<T>{std::move(why)}));
        });
  }
};

service::behavior_type service_behavior(service::stateful_pointer<service_state> self, node_service_deps deps) {
  install_handlers(self, "node service");
  self->state.start(std::move(deps));
  return {[s = &self->state](const command_came& m) { s->came(m); }};
}

} // namespace

caf::actor spawn_node_service(caf::actor_system& system, node_service_deps deps) {
  return caf::actor_cast<caf::actor>(system.spawn(service_behavior, std::move(deps)));
}

} // namespace poseidon
