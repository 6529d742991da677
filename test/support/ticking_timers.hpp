#pragma once
// Timers that follow real time, for tests of actors that have something real at their other end.

#include "actors/timers/timers.hpp"
#include "test/support/threaded_system.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace poseidon::test {

class ticking_timers {
public:
  ticking_timers(caf::actor_system& system, const clock& time)
      : actor(spawn_timers(system, horizon_)), system_(system), time_(time), thread_([this] { run(); }) {}
  ~ticking_timers() {
    {
      const std::lock_guard lock{mutex_};
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
    end(system_, actor);
  }

private:
  std::shared_ptr<timer_horizon> horizon_ = std::make_shared<timer_horizon>();

public:
  const timers_actor actor;

private:
  void run() {
    std::unique_lock lock{mutex_};
    while (!changed_.wait_for(lock, millis{2}, [this] { return stop_; })) {
      const auto now = time_.boot_now();
      if (horizon_->wants_tick(now)) caf::anon_send(actor, timer_tick{now});
    }
  }

  caf::actor_system& system_;
  const clock& time_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  std::thread thread_;
};

} // namespace poseidon::test
