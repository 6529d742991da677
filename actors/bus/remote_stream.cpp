#include "actors/bus/remote_stream.hpp"

#include "actors/bus/wire.hpp"
#include "actors/kit/handlers.hpp"

namespace poseidon {
namespace {

/// The stream that a frame belongs to.
std::optional<stream_id> stream_of(const envelope& e) {
  if (e.kind == "stream_piece")
    if (auto piece = decode_stream_piece(e)) return piece->stream;
  if (e.kind == "stream_end")
    if (auto end = decode_stream_end(e)) return end->stream;
  return std::nullopt;
}

struct stream_state {
  remote_stream::pointer self;
  remote_stream_deps deps;
  std::uint64_t pieces = 0;
  unsigned unanswered = 0; ///< words of the reader since the node's last

  explicit stream_state(remote_stream::pointer me) : self(me) {}

  void start(remote_stream_deps given) {
    deps = std::move(given);
    deps.desk->open(deps.stream, self);
    self->set_down_handler([this](caf::down_msg&) { close(); });
    self->monitor(deps.sink);
  }

  template <class Word>
  void say(const Word& word) {
    deps.bus->publish(deps.subject, encode_frame(word, deps.actor));
  }

  void credit(const stream_credit& m) {
    if (m.bytes == 0 && ++unanswered > deps.patience) return break_off({errc::unknown_outcome, "the node says nothing any more", {}, {}, {}});
    say(m);
  }

  void came(const stream_frame& m) {
    unanswered = 0;
    if (m.what.kind == "stream_end") {
      if (auto end = decode_stream_end(m.what)) ended(*end);
    } else if (auto piece = decode_stream_piece(m.what)) {
      take(*piece);
    }
  }
  /// An empty one only says how many there have been.
  void take(stream_piece& piece) {
    if (piece.text.empty()) return piece.number == pieces ? void() : lost(piece.number);
    if (piece.number != pieces + 1) return lost(piece.number);
    ++pieces;
    self->send(deps.sink, std::move(piece));
  }
  void ended(stream_end& end) {
    if (!end.why && end.pieces != pieces) return lost(end.pieces);
    end.pieces = pieces;
    self->send(deps.sink, std::move(end));
    leave();
  }
  void lost(std::uint64_t number) {
    break_off({errc::unknown_outcome, "what came after piece " + std::to_string(pieces) + " was lost on the bus (piece " + std::to_string(number) + " came)", {}, {}, {}});
  }
  void break_off(failure why) {
    self->send(deps.sink, stream_end{deps.stream, pieces, std::move(why)});
    close();
  }
  void close() {
    say(close_stream{deps.stream});
    leave();
  }
  void leave() {
    deps.desk->close(deps.stream);
    self->quit();
  }
};

remote_stream::behavior_type stream_behavior(remote_stream::stateful_pointer<stream_state> self, remote_stream_deps deps) {
  install_handlers(self, "remote stream");
  auto* s = &self->state;
  s->start(std::move(deps));
  return {
      [s](const stream_credit& m) { s->credit(m); },
      [s](const close_stream&) { s->close(); },
      [s](const stream_frame& m) { s->came(m); },
  };
}

} // namespace

void stream_desk::take(const std::string& frame) const {
  auto e = decode_envelope(frame);
  if (!e) return;
  const auto stream = stream_of(*e);
  if (!stream) return;
  if (auto to = find(*stream)) caf::anon_send(to, stream_frame{std::move(*e)});
}

remote_stream spawn_remote_stream(caf::actor_system& system, remote_stream_deps deps) { return system.spawn(stream_behavior, std::move(deps)); }

} // namespace poseidon
