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
/// It is the reader of every stream that another process reads.
using service = stream_sink::extend<reacts_to<command_came>>;

struct service_state {
  service::pointer self;
  node_service_deps deps;
  std::size_t in_flight = 0;
  struct read_elsewhere {
    std::string subject; ///< the reader's
    stream_source source; ///< null until it is open
    std::uint64_t pieces = 0;
  };
  std::map<stream_id, read_elsewhere> streams;

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
    if (e->kind == "read_log_stream") return open(*e, m);
    if (e->kind == "stream_credit") return credit(*e);
    if (e->kind == "close_stream") return close(*e);
#undef POSEIDON_SERVE
    refuse(m, {errc::bad_request, "no command of a node is called " + e->kind, {}, {}, {}});
  }

  // --- streams
  /// Where a process listens: it says its name with each word.
  std::string inbox_of(const envelope& e) const {
    constexpr std::string_view prefix = "process:";
    const std::string_view actor{e.actor};
    return subjects::streams(deps.cluster, actor.starts_with(prefix) ? actor.substr(prefix.size()) : actor, deps.name);
  }
  std::string who() const { return "node:" + deps.name.value; }

  void open(const envelope& e, const command_came& m) {
    auto wanted = decode_read_log_stream(e);
    if (!wanted) return refuse(m, std::move(wanted.error));
    const auto stream = wanted->stream;
    if (!streams.try_emplace(stream, read_elsewhere{inbox_of(e), {}, 0}).second) return refuse(m, {errc::conflict, "this stream is open already", {}, {}, {}});
    ++in_flight;
    ask(
        self, deps.node, deps.limit, open_log_stream{std::move(*wanted), stream_sink{self}},
        [this, stream, answer = m.answer](stream_opened opened) {
          --in_flight;
          answer(encode_reply(outcome<done>{done{}}));
          const auto found = streams.find(stream);
          if (found == streams.end()) return self->send(opened.source, close_stream{stream}); // closed, or ended, meanwhile
          found->second.source = opened.source;
          self->monitor(opened.source);
        },
        [this, stream, answer = m.answer](failure why) {
          --in_flight;
          streams.erase(stream);
          answer(encode_reply(outcome<done>{std::move(why)}));
        });
  }
  /// A reader that still reads is told how far it should be: what was lost on the way shows.
  void credit(const envelope& e) {
    const auto word = decode_stream_credit(e);
    if (!word) return;
    const auto found = streams.find(word->stream);
    if (found == streams.end()) {
      const stream_end none{word->stream, 0, {errc::not_found, "node " + deps.name.value + " has no such stream", {}, {}, {}}};
      return deps.bus->publish(inbox_of(e), encode_frame(none, who()));
    }
    auto& one = found->second;
    if (one.source) self->send(one.source, *word);
    if (word->bytes == 0) deps.bus->publish(one.subject, encode_frame(stream_piece{word->stream, one.pieces, {}, {}, false}, who()));
  }
  void close(const envelope& e) {
    const auto word = decode_close_stream(e);
    if (!word) return;
    const auto found = streams.extract(word->stream);
    if (!found.empty() && found.mapped().source) self->send(found.mapped().source, *word);
  }
  void piece(const stream_piece& m) {
    const auto found = streams.find(m.stream);
    if (found == streams.end()) return;
    found->second.pieces = m.number;
    deps.bus->publish(found->second.subject, encode_frame(m, who()));
  }
  void end(const stream_end& m) {
    const auto found = streams.extract(m.stream);
    if (!found.empty()) deps.bus->publish(found.mapped().subject, encode_frame(m, who()));
  }
  /// A source that ended without its last word.
  void gone(const caf::down_msg& m) {
    for (auto& [stream, one] : streams)
      if (one.source && one.source.address() == m.source) return end({stream, one.pieces, {errc::internal, "the stream's source has ended", {}, {}, {}}});
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
  auto* s = &self->state;
  self->set_down_handler([s](caf::down_msg& m) { s->gone(m); });
  return {
      [s](const stream_piece& m) { s->piece(m); },
      [s](const stream_end& m) { s->end(m); },
      [s](const command_came& m) { s->came(m); },
  };
}

} // namespace

caf::actor spawn_node_service(caf::actor_system& system, node_service_deps deps) {
  return caf::actor_cast<caf::actor>(system.spawn(service_behavior, std::move(deps)));
}

} // namespace poseidon
