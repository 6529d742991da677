#include "actors/bus/remote_node.hpp"

#include "actors/bus/remote_stream.hpp"
#include "actors/bus/wire.hpp"
#include "actors/kit/handlers.hpp"
#include "messages/subjects.hpp"

namespace poseidon {
namespace {

/// What the bus's callback sends to the proxy.
struct reply_came {
  using poseidon_message = void;
  std::uint64_t token = 0;
  outcome<std::string> frame;
};
using proxy = node_actor::extend<reacts_to<reply_came>>;

struct proxy_state {
  proxy::pointer self;
  remote_node_deps deps;
  std::string subject;
  std::uint64_t last = 0;
  std::map<std::uint64_t, std::function<void(outcome<std::string>)>> open;
  std::shared_ptr<stream_desk> streams = std::make_shared<stream_desk>();

  explicit proxy_state(proxy::pointer me) : self(me) {}

  void start() {
    // For as long as the bus lives, as the desk: what comes for a stream that is over is nobody's.
    deps.bus->subscribe(subjects::streams(deps.cluster, deps.self, deps.node), {}, [desk = streams](bus_message came) { desk->take(came.frame); });
  }
  std::string who() const { return "process:" + deps.self; }

  template <class T, class Message>
  caf::typed_response_promise<outcome<T>> pass_on(const Message& m, millis limit) {
    auto promise = self->template make_response_promise<outcome<T>>();
    request<T>(m, limit, [promise](outcome<T> reply) mutable { promise.deliver(std::move(reply)); });
    return promise;
  }
  template <class T, class Message>
  void request(const Message& m, millis limit, std::function<void(outcome<T>)> then) {
    const auto token = ++last;
    open.emplace(token, [this, then = std::move(then)](outcome<std::string> frame) {
      then(frame ? decode_reply<T>(*frame) : outcome<T>{explained(std::move(frame.error))});
    });
    deps.bus->request(subject, encode_frame(m, who()), limit,
                      [token, to = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl())](outcome<std::string> frame) {
                        if (auto alive = caf::actor_cast<caf::strong_actor_ptr>(to))
                          caf::anon_send(caf::actor_cast<caf::actor>(alive), reply_came{token, std::move(frame)});
                      });
  }
  /// The source here is ready before the node is asked: its pieces may overtake its answer.
  caf::typed_response_promise<outcome<stream_opened>> open_stream(const open_log_stream& m) {
    auto promise = self->make_response_promise<outcome<stream_opened>>();
    auto source = spawn_remote_stream(self->system(), {deps.bus, subject, who(), streams, m.what.stream, m.sink});
    request<done>(m.what, deps.limit, [promise, source, stream = m.what.stream](outcome<done> reply) mutable {
      if (!reply) caf::anon_send(source, close_stream{stream}); // also at the node: it may have opened it all the same
      promise.deliver(reply ? outcome<stream_opened>{stream_opened{source}} : outcome<stream_opened>{std::move(reply.error)});
    });
    return promise;
  }
  failure explained(failure why) const {
    why.detail = "node " + deps.node.value + ": " + why.detail;
    return why;
  }
  void came(reply_came& m) {
    auto found = open.extract(m.token);
    if (!found.empty()) found.mapped()(std::move(m.frame));
  }
};

proxy::behavior_type proxy_behavior(proxy::stateful_pointer<proxy_state> self, remote_node_deps deps) {
  install_handlers(self, "remote node");
  auto* s = &self->state;
  s->subject = subjects::node_commands(deps.cluster, deps.node);
  s->deps = std::move(deps);
  s->start();
  return {
      [s](const stop_instance& m) { return s->pass_on<done>(m, s->deps.limit); },
      [s](const extend_instance& m) { return s->pass_on<extended>(m, s->deps.limit); },
      [s](const read_logs& m) { return s->pass_on<log_text>(m, s->deps.limit); },
      [s](const read_stats& m) { return s->pass_on<group_stats>(m, s->deps.limit); },
      [s](const collect_garbage& m) { return s->pass_on<garbage_report>(m, s->deps.garbage_limit); },
      [s](const get_instance& m) { return s->pass_on<done>(m, s->deps.limit); },
      [s](const open_log_stream& m) { return s->open_stream(m); },
      [s](reply_came& m) { s->came(m); },
  };
}

} // namespace

node_actor spawn_remote_node(caf::actor_system& system, remote_node_deps deps) { return system.spawn(proxy_behavior, std::move(deps)); }

} // namespace poseidon
