#pragma once
// Reads the log from its stream, entry by entry, for whoever is behind what is delivered anyway. The stream is a port; one
// thread at a time.

#include "actors/log/jetstream/entry_index.hpp"
#include "actors/interfaces.hpp"

#include <deque>

namespace poseidon {

/// The log as it was found at the opening.
struct found_log {
  log_place first;
  log_end end;
};

class log_reader {
public:
  explicit log_reader(message_source& stream) : stream_(stream) {}

  /// Finds both ends.
  outcome<found_log> find();
  /// Entries after this one: at most `most`, and about `bytes` (at least one entry). Going on where the last read ended costs
  /// no search. `not_found`: the log begins later.
  outcome<std::vector<logged_entry>> read_after(std::uint64_t after, std::size_t most, std::size_t bytes);
  /// Gives back what going on would need.
  void rest();
  /// The message that holds this entry, and its first entry.
  outcome<log_place> message_of(std::uint64_t entry);

private:
  failure position(std::uint64_t entry);
  outcome<log_place> near(std::uint64_t entry);
  /// Takes the next message's entries in; yields how many bytes they were.
  outcome<std::size_t> load();
  outcome<std::string> gather(const std::vector<std::uint64_t>& parts);

  message_source& stream_;
  std::optional<log_place> first_;
  std::uint64_t next_entry_ = 0;    ///< of the message to come; 0: seek first
  std::deque<logged_entry> loaded_; ///< of the last message, not yet handed out
};

} // namespace poseidon
