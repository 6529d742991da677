#pragma once
// What every log's front shares: the followers and how far each has been served. Pure; the fronts do the sending.

#include "actors/interfaces.hpp"

#include <deque>

namespace poseidon {

/// Most entries that one batch carries, and most that a follower is sent ahead of what it has consumed.
inline constexpr std::size_t log_batch_entries = 512;
inline constexpr std::uint64_t log_window_entries = 4096;

/// One follower's place.
struct log_follower {
  log_sink sink;
  std::uint64_t sent = 0;     ///< last sequence sent
  std::uint64_t consumed = 0; ///< last one it said that it folded
  bool reading = false;       ///< a read for it is under way
  bool halted = false;        ///< the log came back: it has to follow anew first
};

/// How many entries may be sent to it now, of a log that ends at `last`.
std::size_t sendable(const log_follower& follower, std::uint64_t last);

/// True when the log no longer holds what comes next for it: its beginning was dropped, or its end was lost.
bool lost_place(const log_follower& follower, const log_extent& extent);

/// The followers of one log.
class log_followers {
public:
  /// Adds it, or moves it to `after`.
  log_follower& follow(const log_sink& sink, std::uint64_t after);
  void consumed(const log_sink& sink, std::uint64_t sequence);
  void drop(const caf::actor_addr& sink);
  log_follower* find(const caf::actor_addr& sink);
  std::vector<log_follower>& all() { return all_; }

private:
  std::vector<log_follower> all_;
};

/// Whether the log can serve a follower from there: nothing, or the refusal.
std::optional<failure> refuse_follow(const log_extent& extent, std::uint64_t after);

/// The most recent entries, so that whoever keeps up is never served from the disk.
class recent_entries {
public:
  explicit recent_entries(std::size_t capacity) : capacity_(capacity) {}
  /// The next entry of the log.
  void push(const logged_entry& entry);
  void clear() { entries_.clear(); }
  /// True when it holds the one with this sequence.
  bool holds(std::uint64_t sequence) const;
  /// From `sequence` on, at most `count`.
  std::vector<logged_entry> copy(std::uint64_t sequence, std::size_t count) const;

private:
  std::size_t capacity_;
  std::deque<logged_entry> entries_;
};

} // namespace poseidon
