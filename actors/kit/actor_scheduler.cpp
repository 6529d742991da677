#include "actors/kit/actor_scheduler.hpp"

namespace poseidon {

void thrifty_sharing::enqueue(coordinator_data& in, caf::resumable* job, std::size_t takers) {
  {
    const std::lock_guard lock{in.mutex};
    in.queue.push_back(job);
    if (in.asleep == in.woken || in.queue.size() <= in.woken + takers) return;
    ++in.woken;
  }
  in.wake.notify_one();
}

caf::resumable* thrifty_sharing::take(coordinator_data& in) {
  std::unique_lock lock{in.mutex};
  while (in.queue.empty()) {
    ++in.asleep;
    in.wake.wait(lock);
    --in.asleep;
    if (in.woken > 0) --in.woken;
  }
  auto* job = in.queue.front();
  in.queue.pop_front();
  return job;
}

void actor_scheduler::use(caf::actor_system_config& config) { config.load<actor_scheduler>(); }

void actor_scheduler::start() {
  requests_.start();
  super::start();
}

void actor_scheduler::stop() {
  super::stop();
  requests_.stop();
}

} // namespace poseidon
