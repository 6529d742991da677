#include "nodes/timer_driver.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace poseidon {
namespace {

constexpr boot_time never{std::numeric_limits<std::int64_t>::max()};

/// A time that has passed fires at once.
void set_timer(int fd, boot_time due) {
  itimerspec when{};
  when.it_value.tv_sec = due.ms / 1000;
  when.it_value.tv_nsec = std::max<std::int64_t>(due.ms % 1000 * 1'000'000, 1); // all zero would disarm it
  ::timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, nullptr);
}

} // namespace

timer_driver::timer_driver(timers_actor timers, std::shared_ptr<timer_horizon> horizon, std::shared_ptr<const clock> time)
    : timers_(std::move(timers)), horizon_(std::move(horizon)), time_(std::move(time)), timer_(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC)),
      armed_(never) {
  if (!timer_) throw std::runtime_error("timerfd_create failed: out of descriptors?");
  thread_ = std::thread{[this] { run(); }};
  horizon_->watch([this](boot_time due) { wake_at(due); });
}

timer_driver::~timer_driver() {
  horizon_->watch({});
  {
    const std::lock_guard lock{mutex_};
    stop_ = true;
    set_timer(timer_.get(), {0});
  }
  thread_.join();
}

void timer_driver::wake_at(boot_time due) {
  const std::lock_guard lock{mutex_};
  if (stop_ || due >= armed_) return;
  armed_ = due;
  set_timer(timer_.get(), due);
}

void timer_driver::run() {
  boot_time ticked{-1};
  for (std::uint64_t expired = 0;;) {
    const bool woken = ::read(timer_.get(), &expired, sizeof expired) == sizeof expired;
    {
      const std::lock_guard lock{mutex_};
      if (stop_) return;
      armed_ = never;
    }
    if (!woken) continue; // a signal
    // Once the actor has dealt with the tick it sets the horizon anew, which arms the timer again.
    // Until then timers that are armed wake it in vain: one tick a millisecond is enough.
    const auto now = time_->boot_now();
    if (!horizon_->wants_tick(now)) wake_at(horizon_->next());
    else if (now == ticked) wake_at(now + millis{1});
    else caf::anon_send(timers_, timer_tick{ticked = now});
  }
}

} // namespace poseidon
