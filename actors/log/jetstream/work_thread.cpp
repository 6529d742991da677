#include "actors/log/jetstream/work_thread.hpp"

#include <nats/nats.h>

namespace poseidon {

work_thread::work_thread() : thread_([this] { run(); }) {}

work_thread::~work_thread() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void work_thread::post(std::function<void()> work) {
  {
    const std::lock_guard lock{mutex_};
    waiting_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void work_thread::run() {
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock{mutex_};
      wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (ending_) break;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
  nats_ReleaseThreadMemory();
}

} // namespace poseidon
