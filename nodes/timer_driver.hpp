#pragma once

#include "actors/timers/timers.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace poseidon {

/// The thread that ticks the timers actor: each millisecond it looks whether something is due, and sends a tick only then.
class timer_driver {
public:
  timer_driver(timers_actor timers, std::shared_ptr<const timer_horizon> horizon, std::shared_ptr<const clock> time);
  ~timer_driver();
  timer_driver(const timer_driver&) = delete;
  timer_driver& operator=(const timer_driver&) = delete;

private:
  void run();

  timers_actor timers_;
  std::shared_ptr<const timer_horizon> horizon_;
  std::shared_ptr<const clock> time_;
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  std::thread thread_;
};

} // namespace poseidon
