#pragma once
// What a message of the ledger's stream holds, and how many entries of the log it stands for. Pure.
//
// The log counts entries, the stream counts messages. A message carries several entries; a large entry is cut into parts,
// messages that count none, and a last one that names them and counts one. So that nobody has to count from the beginning,
// each message carries a mark: a message that its appender had seen, and the entry with which that one begins.

#include "messages/blob.hpp"
#include "messages/errors.hpp"
#include "messages/ids.hpp"

#include <vector>

namespace poseidon {

/// One front's run: tells its own messages from others'.
using writer_id = random_id<struct writer_tag>;

/// The stream's message with this sequence begins with this entry of the log.
struct log_place {
  std::uint64_t message = 1, entry = 1;
  friend bool operator==(const log_place&, const log_place&) = default;
};

/// A place as an appender knew it.
struct log_mark {
  std::uint64_t message = 1, entry = 1;
  std::int64_t stored_ns = 0; ///< the stream's timestamp of that message; 0: there was none yet, it would be the first
  friend bool operator==(const log_mark&, const log_mark&) = default;
};
POSEIDON_FIELDS(log_mark, message, entry, stored_ns)

/// A message; one of the three: entries, a part, or parts.
struct log_message {
  static constexpr std::uint32_t current_version = 1;
  std::uint32_t version = current_version;
  writer_id writer;
  std::uint64_t number = 0;         ///< the writer's own count
  log_mark mark;
  std::vector<blob> entries;        ///< in their order
  blob part;                        ///< of a large entry's bytes
  std::vector<std::uint64_t> parts; ///< messages whose parts, one after the other, are one large entry
};
POSEIDON_FIELDS(log_message, version, writer, number, mark, entries, part, parts)

/// A message as the stream keeps it.
struct stored_message {
  std::uint64_t sequence = 0;
  std::int64_t stored_ns = 0; ///< the stream's own timestamp
  std::string bytes;
};

std::string encode(const log_message& what);
/// Reads one. A newer Poseidon's is refused as `conflict`, what is none at all as `bad_request`.
outcome<log_message> decode_log_message(std::string_view bytes);

/// How many entries of the log a message stands for: every reader counts alike. What is no message of ours counts none; a
/// newer one counts one, at which its reader stops.
std::uint64_t entries_in(const outcome<log_message>& message);

} // namespace poseidon
