#pragma once
// Time that passes only when a test lets it: a queue of functions by due time, first in, first out at the same time.

#include "nodes/runtime/simulated_engine.hpp"

#include <map>

namespace poseidon::test {

class virtual_timer {
public:
  simulation_timer later() {
    return [this](millis span, std::function<void()> work) {
      queue_.emplace(now_ + std::max(span, millis(0)), std::move(work));
    };
  }
  std::function<wall_time()> clock() {
    return [this] { return wall_time{1'700'000'000'000 + now_.count()}; };
  }
  /// Runs what is due, in order, until the condition holds; false when it does not within the span.
  bool run_until(const std::function<bool()>& condition, millis span) {
    auto end = now_ + span;
    while (!condition()) {
      if (queue_.empty() || queue_.begin()->first > end) {
        now_ = end;
        return false;
      }
      auto first = queue_.begin();
      now_ = first->first;
      auto work = std::move(first->second);
      queue_.erase(first);
      work();
    }
    return true;
  }
  void run_for(millis span) {
    run_until([] { return false; }, span);
  }
  millis now() const { return now_; }
  std::size_t waiting() const { return queue_.size(); }

private:
  millis now_{0};
  std::multimap<millis, std::function<void()>> queue_;
};

} // namespace poseidon::test
