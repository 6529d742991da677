#pragma once

#include "messages/time.hpp"
#include "nodes/dialer/unique_fd.hpp"

#include <functional>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <vector>

namespace poseidon {

/// Deadlines of hosts in order. Pure. A moved deadline is simply armed again: whoever is told checks what holds by then.
class deadline_queue {
public:
  void arm(boot_time due, std::string host) { waiting_.push({due, std::move(host)}); }
  /// The hosts of deadlines at or before `now`, earliest first; they are removed.
  std::vector<std::string> due(boot_time now);
  std::optional<boot_time> next() const;
  std::size_t size() const { return waiting_.size(); }

private:
  struct item {
    boot_time due;
    std::string host;
    bool operator>(const item& other) const { return due > other.due; }
  };
  std::priority_queue<item, std::vector<item>, std::greater<>> waiting_;
};

/// A thread that calls `cut` for each host at its deadline, never before: on the boot clock, whatever the other threads do.
class deadline_cutter {
public:
  explicit deadline_cutter(std::function<void(const std::string& host, boot_time now)> cut);
  ~deadline_cutter();
  deadline_cutter(const deadline_cutter&) = delete;
  deadline_cutter& operator=(const deadline_cutter&) = delete;
  /// Thread-safe.
  void arm(boot_time due, const std::string& host);

private:
  void run();
  void set_timer();

  std::function<void(const std::string&, boot_time)> cut_;
  std::mutex mutex_;
  deadline_queue queue_;
  bool stopping_ = false;
  unique_fd timer_;
  std::thread thread_;
};

} // namespace poseidon
