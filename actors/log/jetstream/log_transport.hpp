#pragma once
// What the log's front needs of a stream, whatever carries it: NATS, or a script in a test. Every call returns at once; what
// comes of it is told by an event, on any thread.

#include "actors/log/jetstream/append_window.hpp"
#include "actors/log/jetstream/link_plan.hpp"
#include "actors/log/jetstream/log_reader.hpp"

#include <functional>
#include <variant>

namespace poseidon {

/// A connection stands, the stream is there, its messages after `end` are delivered from now on.
struct link_opened {
  std::uint64_t link = 0;
  std::string log; ///< the stream's identity: another one means that it was wiped
  found_log found;
  std::string leader;
  std::size_t message_bytes = 0; ///< most that a message may hold
};
/// The attempt failed, or the open link is gone: nothing more comes from it.
struct link_closed {
  std::uint64_t link = 0;
  failure why;
};
struct message_came {
  std::uint64_t link = 0;
  stored_message stored;
};
struct publish_acknowledged {
  std::uint64_t link = 0, number = 0, message = 0;
};
/// The stream refused it.
struct publish_refused {
  std::uint64_t link = 0, number = 0;
  failure why;
};
struct stream_checked {
  std::uint64_t link = 0;
  outcome<stream_check> found;
};
struct stream_was_read {
  std::uint64_t token = 0;
  std::shared_ptr<const std::vector<logged_entry>> entries;
  failure why;
};
struct stream_trimmed {
  std::uint64_t token = 0;
  failure why;
};
using transport_event = std::variant<link_opened, link_closed, message_came, publish_acknowledged, publish_refused, stream_checked,
                                     stream_was_read, stream_trimmed>;

class log_transport {
public:
  virtual ~log_transport() = default;
  /// Once, before anything else. `tell` may be called until the destructor has returned.
  virtual void start(std::function<void(transport_event)> tell) = 0;
  /// Connects anew (what was open is closed first), makes the stream if there is none, and delivers. One event: link_opened
  /// or link_closed.
  virtual void open(std::uint64_t link) = 0;
  virtual void publish(std::uint64_t link, outgoing_message what) = 0;
  virtual void check(std::uint64_t link) = 0;
  /// A message_came was dealt with: bounds what is delivered ahead.
  virtual void taken(std::uint64_t link) = 0;
  virtual void read(std::uint64_t token, std::uint64_t after, std::size_t most) = 0;
  /// Drops every message before the one that holds this entry.
  virtual void trim(std::uint64_t token, std::uint64_t before) = 0;
};

} // namespace poseidon
