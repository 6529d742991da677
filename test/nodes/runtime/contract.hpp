#pragma once
// What every runtime has to hold, whichever engine is behind it. The suite is in contract_test.cpp; each implementation
// brings a bench: how to make it, how to let time pass, how to hurt a service.

#include "nodes/runtime/runtime.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace poseidon::test {

class runtime_bench {
public:
  virtual ~runtime_bench() = default;
  /// The runtime under test, started by the suite.
  virtual runtime& under_test() = 0;
  /// A new runtime over the same engine, as after a restart of the process; the old one is gone.
  virtual void restart_process() = 0;
  /// Lets time pass until the condition holds; false when it does not within the limit.
  virtual bool wait(const std::function<bool()>& condition, millis limit = millis(20000)) = 0;
  /// A plan that runs, and plans that end in the way named.
  virtual std::shared_ptr<launch_plan> plan(const std::string& instance, std::uint64_t sequence = 1) = 0;
  virtual std::shared_ptr<launch_plan> plan_without_image(const std::string& instance) = 0;
  virtual std::shared_ptr<launch_plan> plan_that_exits(const std::string& instance) = 0; ///< says "boom", code 3
  virtual std::shared_ptr<launch_plan> plan_that_ignores_term(const std::string& instance) = 0;
  /// A plan of a service that writes "hello\n" when it starts, and whatever write() wants.
  virtual std::shared_ptr<launch_plan> plan_that_talks(const std::string& instance) = 0;
  virtual void write(const group_key& key, const std::string& text) = 0;
  /// Ends the service's process from outside, as a crash with code 137 does.
  virtual void crash(const group_key& key, const std::string& service) = 0;
};
using bench_ptr = std::unique_ptr<runtime_bench>;

bench_ptr make_docker_bench();
bench_ptr make_simulated_bench();

/// Takes an answer of any thread.
template <class T> class taken {
public:
  answer<T> taker() {
    auto state = state_;
    return [state](outcome<T> result) {
      std::lock_guard lock(state->mutex);
      ++state->count;
      state->result = std::move(result);
    };
  }
  bool there() const {
    std::lock_guard lock(state_->mutex);
    return state_->count > 0;
  }
  int count() const {
    std::lock_guard lock(state_->mutex);
    return state_->count;
  }
  outcome<T> value() const {
    std::lock_guard lock(state_->mutex);
    return state_->result;
  }

private:
  struct shared_state {
    std::mutex mutex;
    int count = 0;
    outcome<T> result;
  };
  std::shared_ptr<shared_state> state_ = std::make_shared<shared_state>();
};

/// Calls, and waits for the answer.
template <class T, class Call> outcome<T> wait_for(runtime_bench& bench, Call call) {
  taken<T> answer;
  call(answer.taker());
  if (!bench.wait([&] { return answer.there(); }, millis(70000)))
    return failure{errc::request_timeout, "the runtime never answered", {}, {}, {}};
  return answer.value();
}

} // namespace poseidon::test
