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

template <> void caf::scheduler::worker<poseidon::thrifty_sharing>::run() {
  for (;;) {
    auto* const job = policy_.dequeue(this);
    policy_.before_resume(this, job);
    const auto how = job->resume(this, max_throughput_);
    policy_.after_resume(this, job);
    if (how == resumable::resume_later) {
      policy_.resume_job_later(this, job); // with our reference to it
      continue;
    }
    if (how == resumable::done || how == resumable::shutdown_execution_unit) policy_.after_completion(this, job);
    if (how == resumable::shutdown_execution_unit) return policy_.before_shutdown(this);
    intrusive_ptr_release(job);
  }
}
