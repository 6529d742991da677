#pragma once
// What happens later in a simulation, in order of virtual time and then of asking.

#include "messages/time.hpp"

#include <functional>
#include <limits>
#include <map>

namespace poseidon::simulation {

class event_queue {
public:
  void after(millis span, std::function<void()> what) { events_.emplace(now_ + span.count(), std::move(what)); }
  /// Lets time pass to `now_ms` and runs what is due.
  void advance_to(std::int64_t now_ms) {
    now_ = now_ms;
    while (!events_.empty() && events_.begin()->first <= now_) {
      auto node = events_.extract(events_.begin());
      node.mapped()();
    }
  }
  std::int64_t now_ms() const { return now_; }
  /// When the next event is due; the far future when there is none.
  std::int64_t next_ms() const { return events_.empty() ? std::numeric_limits<std::int64_t>::max() : events_.begin()->first; }

private:
  std::int64_t now_ = 0;
  std::multimap<std::int64_t, std::function<void()>> events_; ///< equal keys stay in order of insertion
};

} // namespace poseidon::simulation
