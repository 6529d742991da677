#include "gateway/stream_reader.hpp"

#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"

namespace poseidon::gateway {

namespace {

/// The way back to the thread. Shared by the actor and its handle; a closed one says nothing more.
struct listener {
  std::shared_ptr<loop> thread;
  stream_events told; ///< its thread only
  bool closed = false;

  template <class Tell> static void post(const std::shared_ptr<listener>& to, Tell tell) {
    to->thread->post([to, tell = std::move(tell)]() mutable {
      if (!to->closed) tell(to->told);
    });
  }
};

using reader = stream_sink::extend<reacts_to<stream_credit>, reacts_to<close_stream>>;

struct reader_state {
  reader::pointer self;
  std::shared_ptr<listener> to;
  stream_id stream;
  stream_source source;
  std::uint64_t pieces = 0;
  bool opened = false, ended = false;

  explicit reader_state(reader::pointer me) : self(me) {}
  ~reader_state() { end({errc::shutting_down, "the gateway is ending", {}, {}, {}}); }

  void begin(const scheduler_actor& from, millis limit, read_log_stream what) {
    stream = what.stream;
    if (!from) {
      end({errc::shutting_down, "the gateway is ending", {}, {}, {}});
      return self->send(self, close_stream{stream});
    }
    ask(
        self, from, limit, open_log_stream{std::move(what), stream_sink{self}},
        [this](stream_opened answer) {
          source = std::move(answer.source);
          self->set_down_handler([this](caf::down_msg&) {
            end({errc::unknown_outcome, "the stream's source has ended", {}, {}, {}});
            self->quit();
          });
          self->monitor(source);
          open();
        },
        [this](failure why) {
          end(std::move(why));
          self->quit();
        });
  }
  void open() {
    if (std::exchange(opened, true)) return;
    listener::post(to, [](stream_events& told) { std::exchange(told.opened, nullptr)({}); });
  }
  void piece(const stream_piece& m) {
    open(); // it may overtake the answer
    if (m.number != ++pieces) {
      end({errc::internal, "a part of the stream was lost", {}, {}, {}});
      return self->quit();
    }
    listener::post(to, [text = m.text](stream_events& told) mutable { told.piece(std::move(text)); });
  }
  void last(const stream_end& m) {
    auto why = m.why;
    if (!why && m.pieces != pieces) why = {errc::internal, "a part of the stream was lost", {}, {}, {}};
    open();
    end(std::move(why));
    self->quit();
  }
  void end(failure why) {
    if (std::exchange(ended, true)) return;
    listener::post(to, [why = std::move(why), was_open = opened](stream_events& told) {
      if (was_open) told.ended(why);
      else std::exchange(told.opened, nullptr)(why);
    });
  }
  void credit(const stream_credit& m) {
    if (source) self->send(source, m);
  }
  void close() {
    ended = true;
    if (source) self->send(source, close_stream{stream});
    self->quit(); // a source that opens later ends with its reader
  }
};

reader::behavior_type reader_behavior(reader::stateful_pointer<reader_state> self, std::shared_ptr<listener> to, const scheduler_actor& from, millis limit,
                                      const read_log_stream& what) {
  install_handlers(self, "stream reader");
  auto* s = &self->state;
  s->to = std::move(to);
  s->begin(from, limit, what);
  return {
      [s](const stream_piece& m) { s->piece(m); },
      [s](const stream_end& m) { s->last(m); },
      [s](const stream_credit& m) { s->credit(m); },
      [s](const close_stream&) { s->close(); },
  };
}

class handle final : public open_stream {
public:
  handle(reader actor, stream_id stream, std::shared_ptr<listener> to) : actor_(std::move(actor)), stream_(stream), to_(std::move(to)) {}
  ~handle() override {
    to_->closed = true;
    to_->told = {};
    caf::anon_send(actor_, close_stream{stream_});
  }
  void credit(std::uint32_t bytes) override { caf::anon_send(actor_, stream_credit{stream_, bytes}); }

private:
  reader actor_;
  stream_id stream_;
  std::shared_ptr<listener> to_;
};

} // namespace

std::shared_ptr<open_stream> read_stream(caf::actor_system& system, const scheduler_actor& from, millis limit, std::shared_ptr<loop> thread,
                                         read_log_stream what, stream_events told) {
  auto to = std::make_shared<listener>(listener{std::move(thread), std::move(told)});
  const auto stream = what.stream;
  auto actor = system.spawn(reader_behavior, to, from, limit, std::move(what));
  return std::make_shared<handle>(std::move(actor), stream, std::move(to));
}

} // namespace poseidon::gateway
