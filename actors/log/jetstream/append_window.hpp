#pragma once
// Appends on their way to the stream: which entries go into which message, how many messages may be in flight, and what is
// known of each entry in the end. Pure: time and what the stream says are arguments.
//
// Nothing is ever sent twice. An entry that was sent and not confirmed may be in the log or still come: unknown_outcome.

#include "actors/interfaces.hpp"
#include "actors/log/jetstream/log_message.hpp"

#include <deque>
#include <map>

namespace poseidon {

struct append_limits {
  std::size_t in_flight = 64;              ///< messages that are not yet acknowledged
  std::size_t message_entries = 512;       ///< entries of one message
  std::size_t message_bytes = 256u << 10;  ///< of one message's entries; a larger entry is cut into parts of this size
  std::size_t queue = 65'536;              ///< entries that wait; more: ledger_unavailable
  millis ack_timeout{5'000};
};

/// A message to publish.
struct outgoing_message {
  enum class kind : std::uint8_t { entries, part, parts };
  std::uint64_t number = 0;
  kind what = kind::entries;
  std::string bytes;
};

/// An entry that did not make it, or may not have.
struct failed_append {
  log_sink to;
  log_append_failed what;
};

class append_window {
public:
  append_window(writer_id writer, append_limits limits) : writer_(writer), limits_(limits) {}

  /// Takes entries in, in their order. Those beyond the queue's bound come back.
  std::vector<failed_append> push(const append_to_log& m);
  /// What may be published now, in this order; each message is in flight from here on.
  std::vector<outgoing_message> take(boot_time now, const log_mark& mark);
  /// The stream has it, at this sequence of its own.
  void acknowledged(std::uint64_t number, std::uint64_t message);
  /// One's own message was delivered: as good as an acknowledgement, which may have been lost.
  void delivered(std::uint64_t number, std::uint64_t message) { acknowledged(number, message); }
  /// The stream refused it: it is not there and never will be.
  std::vector<failed_append> refused(std::uint64_t number, const failure& why);
  /// What was not acknowledged in time: unknown.
  std::vector<failed_append> expire(boot_time now);
  /// The connection is gone: what is in flight is unknown, what waits was never sent.
  std::vector<failed_append> lost(const failure& why);

  std::size_t in_flight() const { return flights_.size(); }
  std::size_t waiting() const { return queue_.size(); }
  /// When the oldest message in flight expires.
  std::optional<boot_time> next_expiry() const;
  void set_message_bytes(std::size_t bytes) { limits_.message_bytes = bytes; }

private:
  struct item {
    log_sink from;
    entry_id id;
    std::string bytes;
  };
  struct flight {
    boot_time sent;
    std::vector<item> items; ///< without their bytes
    bool part = false;       ///< of the entry that is being uploaded
  };
  /// The large entry at the queue's head: its parts go out first, and only when all are there the message that names them.
  struct upload {
    std::size_t offset = 0;                   ///< bytes that were sent
    std::size_t unacknowledged = 0;
    std::map<std::uint64_t, std::uint64_t> parts; ///< number -> sequence
  };

  outgoing_message message(log_message what, outgoing_message::kind kind, boot_time now, std::vector<item> items);
  outgoing_message next_part(boot_time now, const log_mark& mark);
  outgoing_message last_of_parts(boot_time now, const log_mark& mark);
  outgoing_message batch(boot_time now, const log_mark& mark);
  void fail_upload(const failure& why, std::vector<failed_append>& into);
  std::vector<failed_append> fail(flight&& failed, const failure& items_why, const failure& part_why);

  writer_id writer_;
  append_limits limits_;
  std::uint64_t next_number_ = 1;
  std::deque<item> queue_;
  std::optional<upload> upload_;
  std::map<std::uint64_t, flight> flights_; ///< by number, which is also the order of sending
};

} // namespace poseidon
