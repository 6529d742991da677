#pragma once
// From entries to the messages that hold them, by the marks that messages carry. The stream is asked through a port.

#include "actors/log/jetstream/log_message.hpp"

namespace poseidon {

/// Which messages a stream holds; last = first - 1 when it holds none.
struct stream_extent {
  std::uint64_t first = 1, last = 0;
  bool empty() const { return last < first; }
};

/// A stream's messages. Blocks: for a thread that may.
class message_source {
public:
  virtual ~message_source() = default;
  virtual outcome<stream_extent> extent() = 0;
  /// One message; `not_found` when the stream has none there.
  virtual outcome<stored_message> get(std::uint64_t sequence) = 0;
  /// next() yields the messages from this one on.
  virtual failure seek(std::uint64_t sequence) = 0;
  virtual outcome<stored_message> next() = 0;
  /// Nothing more is read for a while.
  virtual void rest() = 0;
};

/// Whether a mark holds for this stream: its message is there, and is the one that the appender saw (a stream that was wiped,
/// rolled back or replaced holds another one). The failure is the stream's.
outcome<bool> holds(message_source& stream, const stream_extent& extent, const log_mark& mark);

/// Where the log begins: the first message. A stream that holds no valid mark begins with entry 1.
outcome<log_place> find_first(message_source& stream, const stream_extent& extent);

/// Where the log ends: the message to come, and the entry with which it will begin. `last`: of the stream's last message.
struct log_end {
  log_place next;
  log_mark last;
};
outcome<log_end> find_end(message_source& stream, const stream_extent& extent, const log_place& first);

/// A place at or before the message that holds `entry`, near it: from there it is found by counting. `first` as found.
outcome<log_place> find_near(message_source& stream, const stream_extent& extent, const log_place& first, std::uint64_t entry);

} // namespace poseidon
