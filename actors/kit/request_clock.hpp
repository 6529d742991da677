#pragma once
// When requests time out. CAF's own clock wakes a thread for each request and keeps each timeout until it is due,
// answered or not. Here a timeout is an entry in a table, leaves it with its answer (kit/ask.hpp), and the thread
// sleeps until the earliest one that still waits.

#include <caf/all.hpp>
#include <caf/detail/thread_safe_actor_clock.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace poseidon {

/// Keeps request timeouts itself; everything else is left to `rest`. Its members may be called from any thread.
class request_clock final : public caf::detail::thread_safe_actor_clock {
public:
  /// `rest` outlives this object.
  explicit request_clock(caf::actor_clock& rest) : rest_(rest) {}
  ~request_clock() override { stop(); }

  /// Begins to tell actors of requests that ran out of time.
  void start();
  /// Ends that, and forgets what waits.
  void stop();
  /// Timeouts that wait.
  std::size_t waiting() const;

  void set_request_timeout(time_point due, caf::abstract_actor* self, caf::message_id id) override;
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override;
  void cancel_timeouts(caf::abstract_actor* self) override;

  void set_ordinary_timeout(time_point due, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) override;
  void set_multi_timeout(time_point due, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) override;
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override;
  void schedule_message(time_point due, caf::strong_actor_ptr receiver, caf::mailbox_element_ptr content) override;
  void schedule_message(time_point due, caf::group target, caf::strong_actor_ptr sender, caf::message content) override;
  void cancel_all() override;

private:
  struct open_request {
    caf::message_id id;
    time_point due;
  };
  /// What one actor waits for, in the order of its asking.
  struct asker {
    caf::strong_actor_ptr self;
    std::vector<open_request> open;
  };
  using asker_table = std::unordered_map<caf::actor_id, asker>;
  struct shard {
    mutable std::mutex mutex;
    asker_table askers;                        ///< those that wait for something
    std::vector<asker_table::node_type> spare; ///< of those that wait no more, to be used again
  };
  struct overdue {
    caf::strong_actor_ptr self;
    caf::message_id id;
  };

  shard& shard_of(caf::actor_id id) { return shards_[id % shards_.size()]; }
  static asker& asker_of(shard& in, caf::abstract_actor* self);
  static caf::strong_actor_ptr retire(shard& in, asker_table::iterator which);
  void wake_at(time_point due);
  void run();
  time_point sweep(time_point now, std::vector<overdue>& late);
  static time_point sweep(shard& in, time_point now, std::vector<overdue>& late);

  caf::actor_clock& rest_;
  std::atomic<bool> rest_used_ = false; ///< some actor may have something there
  std::array<shard, 8> shards_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<time_point> looks_at_{
      time_point::max()}; ///< when the thread looks next; whatever is due earlier wakes it
  bool ending_ = false;
  std::thread thread_;
};

} // namespace poseidon
