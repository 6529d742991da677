#pragma once
// Who waits for events on one gateway thread: event streams, and requests with ?wait=. Everything here runs on that thread.
// While nobody waits, events do not wake it; progress, which ends no wait, wakes it for streams alone.

#include "gateway/events.hpp"
#include "gateway/http.hpp"

#include <unordered_map>
#include <unordered_set>

namespace poseidon::gateway {

/// Which events a stream carries.
struct stream_filter {
  std::string instance;    ///< only this one's; empty: all
  std::string type_prefix; ///< "instance."; empty: all
  bool admin = false;      ///< keys and settings too
  bool accepts(const event& e) const {
    return (instance.empty() || e.instance == instance) && (admin || !e.admin_only) && e.type.starts_with(type_prefix);
  }
};

/// A stream as the hub sees it.
class subscriber {
public:
  virtual ~subscriber() = default;
  virtual const stream_filter& filter() const = 0;
  /// There are new events for it up to `end`.
  virtual void notify(std::uint64_t end) = 0;
  /// Events [from, end) are none of its own: one that has read up to `from` stands at `end`.
  virtual void skip(std::uint64_t from, std::uint64_t end) = 0;
  virtual void heartbeat() = 0;
};

class hub {
public:
  using waiter_id = std::uint64_t;
  /// Looks again; true when the wait is over.
  using look = std::function<bool()>;

  hub(std::shared_ptr<loop> thread, std::shared_ptr<event_ring> ring, std::chrono::milliseconds heartbeat);

  /// Called on the thread, once: follows the ring from its present end.
  void start();
  void add(subscriber& s);
  void remove(subscriber& s);
  /// `again` runs after each event of that instance until it answers true or the wait is cancelled.
  waiter_id wait(const std::string& instance, look again);
  void cancel(const std::string& instance, waiter_id id);
  /// Where a stream that is about to be added begins.
  std::uint64_t seen();
  std::size_t size() const { return subscribers_.size(); }

private:
  void attend();
  void rest();
  void advance_later();
  void advance();
  void wake_waiters(const std::string& instance);
  void beat();

  std::shared_ptr<loop> thread_;
  std::shared_ptr<event_ring> ring_;
  std::chrono::milliseconds heartbeat_;
  /// What whoever appends events looks at.
  struct alarm {
    std::atomic<bool> off{true};     ///< the thread need not be woken: it will look, or nobody waits
    std::atomic<bool> streams{false}; ///< somebody wants passing events, too
  };
  std::shared_ptr<alarm> alarm_ = std::make_shared<alarm>();
  bool resting_ = true; ///< nobody waits, and the alarm stays off
  std::uint64_t seen_ = 0; ///< ring index up to which everyone has been told
  std::unordered_set<subscriber*> subscribers_;
  std::unordered_map<std::string, std::map<waiter_id, look>> waiters_;
  waiter_id next_ = 1;
};

} // namespace poseidon::gateway
