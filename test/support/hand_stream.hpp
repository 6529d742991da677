#pragma once
// Both ends of a stream, played by a test.

#include "actors/interfaces.hpp"

namespace poseidon::test {

/// A source: what it was told, and what it shall say.
struct hand_source_of_stream {
  stream_id stream;
  stream_sink sink;
  stream_source actor;
  std::vector<std::uint32_t> credits;
  bool closed = false;
  std::uint64_t pieces = 0;

  void piece(std::string text) { caf::anon_send(sink, stream_piece{stream, ++pieces, "main", std::move(text), false}); }
  void end(failure why = {}) { caf::anon_send(sink, stream_end{stream, pieces, std::move(why)}); }
};
using hand_stream_ptr = std::shared_ptr<hand_source_of_stream>;

inline stream_source spawn_hand_stream(caf::actor_system& system, const hand_stream_ptr& s) {
  s->actor = system.spawn([s](stream_source::pointer) -> stream_source::behavior_type {
    return {[s](const stream_credit& m) { s->credits.push_back(m.bytes); }, [s](const close_stream&) { s->closed = true; }};
  });
  return s->actor;
}

/// A reader: what came.
struct hand_reader {
  std::string text;
  std::vector<std::uint64_t> numbers;
  std::optional<stream_end> end;
};
using hand_reader_ptr = std::shared_ptr<hand_reader>;

inline stream_sink spawn_hand_reader(caf::actor_system& system, const hand_reader_ptr& r) {
  return system.spawn([r](stream_sink::pointer) -> stream_sink::behavior_type {
    return {[r](const stream_piece& m) {
              r->text += m.text;
              r->numbers.push_back(m.number);
            },
            [r](const stream_end& m) { r->end = m; }};
  });
}

} // namespace poseidon::test
