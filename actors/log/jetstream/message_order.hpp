#pragma once
// The stream's messages become the log's entries: in order, without a gap, each counted once. Pure.

#include "actors/interfaces.hpp"
#include "actors/log/jetstream/log_message.hpp"

namespace poseidon {

/// What a stored message's entries are, from `first` on. A large entry is left open (neither entry nor problem): its parts
/// have to be read.
std::vector<logged_entry> entries_of(const stored_message& stored, const outcome<log_message>& message, std::uint64_t first);

/// A large entry's bytes, put together, as an entry.
void complete(logged_entry& open, const outcome<std::string>& bytes);

class message_order {
public:
  enum class verdict : std::uint8_t {
    taken,
    repeated, ///< had it before
    gap,      ///< something before it is missing: nothing was taken, the stream has to be followed anew
  };
  struct taken_message {
    verdict how = verdict::gap;
    writer_id writer; ///< of a message of ours
    std::uint64_t number = 0;
    std::vector<logged_entry> entries;
  };

  /// The next message to come, and the mark of the one before it.
  void begin(const log_place& next, const log_mark& last) {
    next_ = next;
    mark_ = last;
  }
  taken_message take(const stored_message& stored);

  const log_place& next() const { return next_; }
  /// The last message taken: what one's own messages carry.
  const log_mark& mark() const { return mark_; }

private:
  log_place next_;
  log_mark mark_;
};

} // namespace poseidon
