#pragma once
// Where a notifier keeps what it has still to deliver: SQLite, or memory. Answers come on any thread, each exactly once.

#include "actors/notifier/delivery_table.hpp"

#include <functional>
#include <set>

namespace poseidon {

template <class T>
using store_answer = std::function<void(outcome<T>)>;

/// How much of one receiver is stored.
struct stored_counts {
  std::uint64_t pending = 0, dead = 0;
};
/// What is there at the start.
struct notify_start {
  std::optional<struct position> cursor; ///< everything up to here has been stored or delivered; nothing: never ran
  std::map<std::string, stored_counts> counts;
  std::map<std::string, struct position> since; ///< known receivers: they get events after this
};

/// An event for one receiver.
struct new_item {
  std::string receiver;
  notification_ptr what;
};
/// One commit: the events, and that everything up to `cursor` is in it.
struct put_items {
  struct position cursor;
  std::vector<new_item> items;
  wall_time now;
  std::vector<new_item> watched{}; ///< another notifier tells of these: kept until it has
};
/// Whether this notifier tells of an instance's events.
using tells_of = std::function<bool(std::string_view instance)>;
/// What one receiver has not got yet: of the events up to `up_to` these alone, by id.
struct open_events {
  struct position up_to;
  std::vector<std::string> ids;
};
/// What another notifier says that it has delivered, or given up: every event of its own in (after, up_to], but for `open`.
struct settled_events {
  std::string receiver;
  struct position after, up_to;
  tells_of its_own;
  std::set<std::string> open;
};
struct put_result {
  std::map<std::string, std::uint64_t> added; ///< by receiver; one that was stored before is not added
};
struct buried_item {
  std::uint64_t row = 0;
  std::uint32_t attempts = 0;
  std::string why;
  wall_time now;
};

class notify_store {
public:
  virtual ~notify_store() = default;
  /// Called once, before anything else. Receivers that are not known yet are told of events after `begin`; others that were
  /// known and are no longer are forgotten; what waits for them becomes dead letters.
  virtual void open(std::vector<std::string> receivers, struct position begin, wall_time now, store_answer<notify_start> answer) = 0;
  virtual void put(put_items what, store_answer<put_result> answer) = 0;
  /// At most `most` items of a receiver with a row after this one, in order.
  virtual void load(std::string receiver, std::uint64_t after, std::size_t most, store_answer<std::vector<stored_item>> answer) = 0;
  /// Delivered. When this is lost with a crash, it is delivered once more.
  virtual void drop(std::uint64_t row) = 0;
  virtual void bury(buried_item what) = 0;
  virtual void list(list_dead_letters what, store_answer<dead_letters> answer) = 0;
  /// Answers how many went back to which receiver. Those of receivers that are no longer known stay.
  virtual void replay(replay_dead_letters what, wall_time now, store_answer<std::map<std::string, std::uint64_t>> answer) = 0;
  /// Another sharing of a receiver: what waits and another's is only watched from now on, what is watched and is this one's
  /// waits, behind what waits already. Answers how many wait.
  virtual void share(std::string receiver, tells_of own, store_answer<std::uint64_t> answer) = 0;
  /// At most `most` ids.
  virtual void open(std::string receiver, std::size_t most, store_answer<open_events> answer) = 0;
  /// These need not be watched, nor delivered, any more.
  virtual void settle(settled_events what) = 0;
  /// Drops dead letters that died before, and what has been watched since before `watched`.
  virtual void forget(wall_time died, wall_time watched, store_answer<std::map<std::string, stored_counts>> answer) = 0;
};

/// Most dead letters of one receiver, give or take a few hundred; the oldest go first.
inline constexpr std::size_t most_dead_letters = 10'000;

/// Opens or makes the file; refusals as open_store's.
outcome<std::shared_ptr<notify_store>> open_sqlite_notify_store(const std::string& path);

} // namespace poseidon
