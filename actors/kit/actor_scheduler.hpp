#pragma once
// How actors share threads: CAF's work sharing with two changes. A worker that makes another actor runnable is not
// helped by a second worker unless more waits than it will take up itself: a chain of messages runs on one core,
// without a wake-up for each link. And request timeouts are kit/request_clock.hpp's.
// Also the worker's loop: CAF's own casts each job dynamically to tell its logger, which is off, whose turn it is.

#include "actors/kit/request_clock.hpp"

#include <caf/policy/unprofiled.hpp>
#include <caf/scheduler/coordinator.hpp>

#include <deque>

namespace poseidon {

/// One queue for all workers; a worker sleeps when it is empty.
class thrifty_sharing : public caf::policy::unprofiled {
public:
  struct coordinator_data {
    explicit coordinator_data(caf::scheduler::abstract_coordinator*) {}
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<caf::resumable*> queue;
    std::size_t asleep = 0; ///< workers
    std::size_t woken = 0;  ///< of them: told to wake, and not yet awake
  };
  struct worker_data {
    explicit worker_data(caf::scheduler::abstract_coordinator*) {}
  };

  template <class Coordinator> void central_enqueue(Coordinator* self, caf::resumable* job) {
    enqueue(d(self), job, 0);
  }
  template <class Worker> void external_enqueue(Worker* self, caf::resumable* job) {
    enqueue(d(self->parent()), job, 0);
  }
  template <class Worker> void internal_enqueue(Worker* self, caf::resumable* job) {
    enqueue(d(self->parent()), job, 1);
  }
  template <class Worker> void resume_job_later(Worker* self, caf::resumable* job) {
    enqueue(d(self->parent()), job, 1);
  }
  template <class Worker> caf::resumable* dequeue(Worker* self) { return take(d(self->parent())); }
  template <class Worker, class Function> void foreach_resumable(Worker*, Function) {}
  template <class Coordinator, class Function> void foreach_central_resumable(Coordinator* self, Function f) {
    for (auto& data = d(self); !data.queue.empty(); data.queue.pop_front())
      f(data.queue.front());
  }

private:
  /// `takers`: workers that are about to look at the queue anyhow.
  static void enqueue(coordinator_data& in, caf::resumable* job, std::size_t takers);
  static caf::resumable* take(coordinator_data& in);
};

} // namespace poseidon

template <> void caf::scheduler::worker<poseidon::thrifty_sharing>::run();

namespace poseidon {

/// CAF's scheduler, with all of it.
class actor_scheduler final : public caf::scheduler::coordinator<thrifty_sharing> {
public:
  using super = caf::scheduler::coordinator<thrifty_sharing>;
  explicit actor_scheduler(caf::actor_system& system) : super(system), requests_(super::clock()) {}

  /// Makes an actor system use it; call it on the configuration before the system is made.
  static void use(caf::actor_system_config& config);
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>) {
    return new actor_scheduler(system);
  }
  request_clock& clock() noexcept override { return requests_; }

protected:
  void start() override;
  void stop() override;

private:
  request_clock requests_;
};

} // namespace poseidon
