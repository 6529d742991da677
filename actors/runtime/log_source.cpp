#include "actors/runtime/log_source.hpp"

#include "actors/kit/handlers.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace poseidon {
namespace {

constexpr std::size_t most_piece_bytes = 32u << 10; // fits into any frame, whatever its bytes are

struct source_state {
  log_source::pointer self;
  log_source_deps deps;
  open_group_log_stream asked;
  log_reading reading;
  std::optional<caf::typed_response_promise<outcome<stream_opened>>> opening;
  std::uint64_t pieces = 0;
  boot_time heard;

  explicit source_state(log_source::pointer me) : self(me) {}
  ~source_state() {
    if (reading.cancel) reading.cancel();
    if (deps.open) deps.open->fetch_sub(1);
  }

  caf::typed_response_promise<outcome<stream_opened>> begin(const begin_reading& m) {
    asked = m.what;
    opening = self->make_response_promise<outcome<stream_opened>>();
    const auto answer = *opening;
    self->set_down_handler([this](caf::down_msg&) { leave(); });
    self->monitor(asked.sink);
    heard = deps.clock->boot_now();
    listen();
    const auto& what = asked.what;
    const port_calls::sink to{caf::actor_cast<caf::weak_actor_ptr>(self->ctrl())};
    log_request request{asked.key, what.service, what.follow, what.tail == 0 ? -1 : static_cast<std::int32_t>(std::min(what.tail, 1'000'000u))};
    request.through_restarts = what.follow;
    request.credit_bytes = what.credit_bytes;
    request.begun = [this, to] { to.post([this] { begun(); }); };
    reading = deps.port->logs(
        std::move(request), [this, to](const log_chunk& chunk) { to.post([this, chunk] { pass_on(chunk); }); },
        [this, to](outcome<done> end) { to.post([this, why = std::move(end.error)] { ended(why); }); });
    return answer;
  }

  void begun() {
    if (!opening) return;
    opening->deliver(outcome<stream_opened>{stream_opened{stream_source{self}}});
    opening.reset();
  }
  void pass_on(const log_chunk& chunk) {
    begun();
    std::string_view rest = chunk.text;
    for (; !rest.empty(); rest.remove_prefix(std::min(rest.size(), most_piece_bytes)))
      self->send(asked.sink, stream_piece{asked.what.stream, ++pieces, chunk.service, std::string{rest.substr(0, most_piece_bytes)}, chunk.error_stream});
  }
  void ended(const failure& why) {
    if (opening && why) {
      opening->deliver(outcome<stream_opened>{why});
      return leave();
    }
    begun();
    self->send(asked.sink, stream_end{asked.what.stream, pieces, why});
    leave();
  }

  void listen() { self->send(deps.timers, arm_timer{timer_sink{self}, 0, heard + deps.silence}); }
  void on_timer() {
    if (deps.clock->boot_now() - heard < deps.silence) return listen();
    spdlog::info("runtime: a log stream of instance {} ends: its reader is silent", asked.key.instance.value);
    ended({errc::request_timeout, "the reader has been silent for too long", {}, {}, {}});
  }
  void credit(const stream_credit& m) {
    heard = deps.clock->boot_now();
    if (m.bytes > 0 && reading.more) reading.more(m.bytes);
  }
  void leave() {
    self->send(deps.timers, disarm_all{timer_sink{self}});
    if (auto cancel = std::exchange(reading.cancel, nullptr)) cancel();
    self->quit();
  }
};

log_source::behavior_type source_behavior(log_source::stateful_pointer<source_state> self, log_source_deps deps) {
  install_handlers(self, "log source");
  auto* s = &self->state;
  deps.open->fetch_add(1);
  s->deps = std::move(deps);
  return {
      [s](const stream_credit& m) { s->credit(m); },
      [s](const close_stream&) { s->leave(); },
      [s](const begin_reading& m) { return s->begin(m); },
      [](const port_event& event) { event.run(); },
      [s](const timer_due&) { s->on_timer(); },
  };
}

} // namespace

log_source spawn_log_source(caf::actor_system& system, log_source_deps deps) { return system.spawn(source_behavior, std::move(deps)); }

} // namespace poseidon
