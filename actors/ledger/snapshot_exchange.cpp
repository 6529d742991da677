#include "actors/ledger/snapshot_exchange.hpp"

#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"
#include "messages/envelope.hpp"
#include "messages/msgpack.hpp"
#include "messages/subjects.hpp"

#include <algorithm>
#include <deque>

namespace poseidon {
namespace {

constexpr const char *question_kind = "ask_snapshot", *part_kind = "snapshot_part";
constexpr millis take_limit{60'000};

template <class T>
std::string frame_of(const char* kind, const T& what) {
  envelope e;
  e.kind = kind;
  e.payload.bytes = pack(what);
  return encode(e);
}

template <class T>
outcome<T> open(const char* kind, std::string_view frame) {
  auto e = decode_envelope(frame);
  if (!e) return e.error;
  if (e->kind != kind) return failure{errc::bad_request, "a frame of kind " + e->kind + " in place of " + kind, {}, {}, {}};
  return unpack<T>(e->payload.bytes);
}

// --- the one that is asked ----------------------------------------------------------------------------------------------

struct question_came {
  using poseidon_message = void;
  std::string frame;
  std::function<void(std::string)> answer;
};
using service = caf::typed_actor<reacts_to<question_came>>;

struct service_state {
  service::pointer self;
  snapshot_exchange_deps deps;
  std::deque<tail_snapshot_ptr> kept; ///< of those who ask at present, the latest first

  explicit service_state(service::pointer me) : self(me) {}

  void start(snapshot_exchange_deps given) {
    deps = std::move(given);
    deps.bus->subscribe(subjects::snapshots(deps.cluster, deps.process), {}, [to = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl())](bus_message came) {
      if (auto alive = caf::actor_cast<caf::strong_actor_ptr>(to))
        caf::anon_send(caf::actor_cast<service>(alive), question_came{std::move(came.frame), std::move(came.answer)});
    });
  }

  void came(const question_came& m) {
    const auto asked = open<ask_snapshot>(question_kind, m.frame);
    if (!asked) return refuse(m.answer, asked.error);
    if (!asked->digest.empty()) return tell(*asked, m.answer);
    ask(
        self, deps.ledger, take_limit, take_snapshot{},
        [this, answer = m.answer](tail_snapshot_ptr taken) {
          const ask_snapshot first{taken->digest, 0};
          kept.push_front(std::move(taken));
          if (kept.size() > deps.kept_max) kept.pop_back();
          tell(first, answer);
        },
        [answer = m.answer](const failure& why) { refuse(answer, why); });
  }

  static void refuse(const std::function<void(std::string)>& answer, const failure& why) {
    snapshot_part none;
    none.why = why;
    answer(frame_of(part_kind, none));
  }

  void tell(const ask_snapshot& asked, const std::function<void(std::string)>& answer) {
    const auto at = std::ranges::find_if(kept, [&](auto& each) { return each->digest == asked.digest; });
    const bool whole = at != kept.end() && asked.offset >= (*at)->bytes.size(); // whoever asked for it has all of it
    const auto from = at == kept.end() || whole ? tail_snapshot_ptr{} : *at;
    if (whole) kept.erase(at);
    if (!from) return refuse(answer, {errc::conflict, "this snapshot is no longer kept", 1'000, {}, {}});
    auto bytes = from->bytes.substr(asked.offset, deps.part_bytes);
    answer(frame_of(part_kind, snapshot_part{{}, from->at, from->last, from->logged_at, from->digest, asked.offset, from->bytes.size(), {std::move(bytes)}}));
  }
};

service::behavior_type service_behavior(service::stateful_pointer<service_state> self, snapshot_exchange_deps deps) {
  install_handlers(self, "snapshot service");
  self->state.start(std::move(deps));
  return {[self](const question_came& m) { self->state.came(m); }};
}

// --- the one that asks --------------------------------------------------------------------------------------------------

struct part_came {
  using poseidon_message = void;
  outcome<std::string> frame;
};
using reader = caf::typed_actor<reacts_to<part_came>>;

struct reader_state {
  reader::pointer self;
  snapshot_question question;
  std::function<void(outcome<tail_snapshot_ptr>)> then;
  std::shared_ptr<tail_snapshot> made;
  unsigned tries = 0; ///< of the part that is awaited

  explicit reader_state(reader::pointer me) : self(me) {}

  void ask_next() {
    ++tries;
    const ask_snapshot next{made ? made->digest : std::string{}, made ? made->bytes.size() : 0};
    question.bus->request(subjects::snapshots(question.cluster, question.process), frame_of(question_kind, next), question.limit,
                          [to = reader{self}](outcome<std::string> frame) { caf::anon_send(to, part_came{std::move(frame)}); });
  }

  void end(outcome<tail_snapshot_ptr> how) {
    if (how) say_that_it_is_whole();
    then(std::move(how));
    self->quit();
  }

  /// Lost, it costs the other its memory until the next one is asked for.
  void say_that_it_is_whole() const {
    question.bus->request(subjects::snapshots(question.cluster, question.process), frame_of(question_kind, ask_snapshot{made->digest, made->bytes.size()}),
                          question.limit, [](outcome<std::string>) {});
  }

  void came(const part_came& m) {
    const bool lost = !m.frame && m.frame.error.code == errc::unknown_outcome; // it or its answer, on the way
    if (lost && tries < question.tries) return ask_next();
    if (!m.frame) return end(m.frame.error);
    auto part = open<snapshot_part>(part_kind, *m.frame);
    if (!part) return end(part.error);
    if (part->why) return end(part->why);
    if (!made) {
      made = std::make_shared<tail_snapshot>();
      made->at = part->at;
      made->last = part->last;
      made->logged_at = part->logged_at;
      made->digest = part->digest;
    }
    if (part->digest != made->digest || part->offset != made->bytes.size() || part->bytes.bytes.empty())
      return end(failure{errc::bad_request, "the parts of a snapshot don't fit together", {}, {}, {}});
    made->bytes += part->bytes.bytes;
    tries = 0;
    if (made->bytes.size() < part->total) return ask_next();
    end(tail_snapshot_ptr{made});
  }
};

reader::behavior_type reader_behavior(reader::stateful_pointer<reader_state> self, snapshot_question question,
                                      std::function<void(outcome<tail_snapshot_ptr>)> then) {
  install_handlers(self, "snapshot reader");
  self->state.question = std::move(question);
  self->state.then = std::move(then);
  self->state.ask_next();
  return {[self](const part_came& m) { self->state.came(m); }};
}

} // namespace

caf::actor spawn_snapshot_service(caf::actor_system& system, snapshot_exchange_deps deps) {
  return caf::actor_cast<caf::actor>(system.spawn(service_behavior, std::move(deps)));
}

void ask_for_snapshot(caf::actor_system& system, snapshot_question question, std::function<void(outcome<tail_snapshot_ptr>)> then) {
  system.spawn(reader_behavior, std::move(question), std::move(then));
}

} // namespace poseidon
