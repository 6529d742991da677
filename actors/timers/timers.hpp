#pragma once
// The process's one timer service (interfaces.hpp, timers_actor): sends each sink its timer_due at or after the time.

#include "actors/interfaces.hpp"

#include <atomic>
#include <limits>
#include <mutex>

namespace poseidon {

/// What the driver needs to know without asking: when the next timer is due. It sends `timer_tick` only when that moment
/// has come, so an idle process stays idle. Thread-safe.
class timer_horizon {
public:
  /// True when a tick at `now` would find something to do.
  bool wants_tick(boot_time now) const { return next_ms_.load(std::memory_order_acquire) <= now.ms; }
  /// The next due time; the far future when no timer is armed.
  boot_time next() const { return {next_ms_.load(std::memory_order_acquire)}; }
  void set(std::optional<boot_time> next) {
    const std::lock_guard lock{mutex_};
    next_ms_.store(next ? next->ms : never, std::memory_order_release);
    if (next && watcher_) watcher_(*next);
  }
  /// Calls `watcher` (quick; on the timers actor's thread) with the next due time now, and whenever it is set; none: an empty one.
  void watch(std::function<void(boot_time)> watcher) {
    const std::lock_guard lock{mutex_};
    watcher_ = std::move(watcher);
    if (watcher_) watcher_({next_ms_.load(std::memory_order_acquire)});
  }

private:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  std::atomic<std::int64_t> next_ms_{never};
  std::mutex mutex_;
  std::function<void(boot_time)> watcher_;
};

/// Spawns it; `horizon` is shared with the driver outside.
timers_actor spawn_timers(caf::actor_system& system, std::shared_ptr<timer_horizon> horizon);

} // namespace poseidon
