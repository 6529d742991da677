#include "nodes/edge/deadline_cutter.hpp"

#include <sys/timerfd.h>
#include <time.h>

#include <stdexcept>

namespace poseidon {
namespace {

boot_time boot_now() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return {std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000};
}

} // namespace

std::vector<std::string> deadline_queue::due(boot_time now) {
  std::vector<std::string> hosts;
  while (!waiting_.empty() && waiting_.top().due <= now) {
    hosts.push_back(waiting_.top().host);
    waiting_.pop();
  }
  return hosts;
}

std::optional<boot_time> deadline_queue::next() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.top().due;
}

deadline_cutter::deadline_cutter(std::function<void(const std::string&, boot_time)> cut) : cut_(std::move(cut)) {
  timer_.reset(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC));
  if (!timer_) throw std::runtime_error("timerfd_create failed: out of descriptors?");
  thread_ = std::thread{[this] { run(); }};
}

deadline_cutter::~deadline_cutter() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    set_timer();
  }
  thread_.join();
}

void deadline_cutter::arm(boot_time due, const std::string& host) {
  const std::lock_guard lock{mutex_};
  const auto before = queue_.next();
  queue_.arm(due, host);
  if (!before || due < *before) set_timer();
}

void deadline_cutter::set_timer() {
  itimerspec when{};
  if (stopping_) when.it_value.tv_nsec = 1; // a moment long past: now
  else if (const auto next = queue_.next()) {
    when.it_value.tv_sec = next->ms / 1000;
    when.it_value.tv_nsec = next->ms % 1000 * 1'000'000;
    if (next->ms <= 0) when.it_value = {0, 1};
  }
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

void deadline_cutter::run() {
  for (;;) {
    std::uint64_t expirations = 0;
    if (::read(timer_.get(), &expirations, sizeof expirations) < 0 && errno != EINTR) return;
    std::vector<std::string> hosts;
    const auto now = boot_now();
    {
      const std::lock_guard lock{mutex_};
      if (stopping_) return;
      hosts = queue_.due(now);
      set_timer();
    }
    for (const auto& host : hosts) cut_(host, now);
  }
}

} // namespace poseidon
