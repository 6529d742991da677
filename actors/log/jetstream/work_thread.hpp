#pragma once
// A thread for calls that block, one after the other.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace poseidon {

class work_thread {
public:
  work_thread();
  /// Finishes the work at hand, drops what waits, and ends.
  ~work_thread();
  work_thread(const work_thread&) = delete;
  work_thread& operator=(const work_thread&) = delete;

  void post(std::function<void()> work);

private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

} // namespace poseidon
