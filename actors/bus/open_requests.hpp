#pragma once
// Requests that wait for their reply. Thread-safe; each is answered exactly once, outside the lock.

#include "actors/bus/bus.hpp"

#include <map>
#include <mutex>
#include <vector>

namespace poseidon {

class open_requests {
public:
  explicit open_requests(std::shared_ptr<const clock> time) : time_(std::move(time)) {}

  /// A number above zero.
  std::uint64_t open(millis limit, bus_answer done) {
    const std::lock_guard lock{mutex_};
    open_.emplace(++last_, one{time_->boot_now() + limit, std::move(done)});
    return last_;
  }
  /// Answers it, unless it has been.
  void close(std::uint64_t id, outcome<std::string> with) {
    bus_answer done;
    {
      const std::lock_guard lock{mutex_};
      auto found = open_.find(id);
      if (found == open_.end()) return;
      done = std::move(found->second.done);
      open_.erase(found);
    }
    done(std::move(with));
  }
  /// Ends what is overdue with unknown_outcome.
  void expire() {
    const auto now = time_->boot_now();
    end([now](const one& request) { return request.due <= now; }, {errc::unknown_outcome, "no answer came in time", 1'000, {}, {}});
  }
  void fail_all(const failure& why) {
    end([](const one&) { return true; }, why);
  }

private:
  struct one {
    boot_time due;
    bus_answer done;
  };
  template <class Which>
  void end(Which which, const failure& why) {
    std::vector<bus_answer> ended;
    {
      const std::lock_guard lock{mutex_};
      std::erase_if(open_, [&](auto& entry) {
        if (!which(entry.second)) return false;
        ended.push_back(std::move(entry.second.done));
        return true;
      });
    }
    for (auto& done : ended) done(why);
  }
  const std::shared_ptr<const clock> time_;
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, one> open_;
};

} // namespace poseidon
