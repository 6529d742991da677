#include "nodes/timer_driver.hpp"

namespace poseidon {

timer_driver::timer_driver(timers_actor timers, std::shared_ptr<const timer_horizon> horizon, std::shared_ptr<const clock> time)
    : timers_(std::move(timers)), horizon_(std::move(horizon)), time_(std::move(time)), thread_([this] { run(); }) {}

timer_driver::~timer_driver() {
  {
    const std::lock_guard lock{mutex_};
    stop_ = true;
  }
  stop_changed_.notify_all();
  thread_.join();
}

void timer_driver::run() {
  std::unique_lock lock{mutex_};
  // The tick moves the horizon only once the actor has run; `asked` keeps one moment from being ticked twice.
  std::int64_t asked_ms = -1;
  while (!stop_changed_.wait_for(lock, std::chrono::milliseconds{1}, [this] { return stop_; })) {
    const auto now = time_->boot_now();
    if (!horizon_->wants_tick(now) || now.ms == asked_ms) continue;
    asked_ms = now.ms;
    caf::anon_send(timers_, timer_tick{now});
  }
}

} // namespace poseidon
