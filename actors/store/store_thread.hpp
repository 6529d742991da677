#pragma once
// A thread that owns a database: commits all that waits as one transaction, then reports. The one place where Poseidon
// waits for a disk; actors hand it work and are told by a message.

#include "actors/store/sqlite.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace poseidon {

/// One piece of work. Both functions run on the store's thread.
struct store_job {
  /// Changes the database, within a transaction; throws store_error. May run twice: once with its neighbours, and by
  /// itself when that transaction failed.
  std::function<void(sqlite&)> work;
  /// Told after the commit, exactly once; the failure means that nothing of it was done.
  std::function<void(const failure&)> finished;
  bool durable = false;    ///< synced to the disk before `finished` (survives a power failure)
  std::size_t weight = 1;  ///< what it counts against the bound
};

class store_thread {
public:
  struct options {
    std::size_t bound = 65'536;      ///< most weight that waits
    std::size_t most_at_once = 4096; ///< most weight of one transaction
    std::function<void()> after_batch; ///< called after each transaction's `finished` calls
    /// While work comes from many at once, the next transaction waits this long for more of it, four times as long when very
    /// many do: a commit costs as much as ten changes. One who works alone is never kept waiting.
    std::chrono::microseconds gather{500};
  };
  store_thread(std::shared_ptr<sqlite> db, options o);
  /// Finishes what waits, then ends.
  ~store_thread();
  store_thread(const store_thread&) = delete;
  store_thread& operator=(const store_thread&) = delete;

  /// False when it is full; the job was not taken.
  bool post(store_job job);

private:
  void run();
  std::vector<store_job> take_waiting();
  void perform(std::vector<store_job>& jobs);
  void transact(std::vector<store_job*> jobs);
  void set_durable(bool durable);

  std::shared_ptr<sqlite> db_;
  options options_;
  statement begin_, commit_;
  bool durable_ = false;
  std::size_t last_jobs_ = 0; ///< of the transaction before
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<store_job> waiting_;
  std::size_t weight_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

} // namespace poseidon
