#pragma once

#include "actors/timers/timers.hpp"
#include "nodes/dialer/unique_fd.hpp"

#include <mutex>
#include <thread>

namespace poseidon {

/// The thread that ticks the timers actor: it sleeps until something is due (on the boot clock, which counts a suspended
/// machine's time too), so an idle process costs nothing.
class timer_driver {
public:
  /// Throws std::runtime_error when there is no descriptor left.
  timer_driver(timers_actor timers, std::shared_ptr<timer_horizon> horizon, std::shared_ptr<const clock> time);
  ~timer_driver();
  timer_driver(const timer_driver&) = delete;
  timer_driver& operator=(const timer_driver&) = delete;

private:
  void run();
  /// Wakes the thread at `due`, unless it wakes earlier anyway.
  void wake_at(boot_time due);

  timers_actor timers_;
  std::shared_ptr<timer_horizon> horizon_;
  std::shared_ptr<const clock> time_;
  unique_fd timer_;
  std::mutex mutex_;
  boot_time armed_; ///< when the thread wakes
  bool stop_ = false;
  std::thread thread_;
};

} // namespace poseidon
