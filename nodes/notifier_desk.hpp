#pragma once
// Where the gateway finds the notifier, which begins after it, and how its receivers fare. Thread-safe.

#include "actors/interfaces.hpp"

#include <mutex>

namespace poseidon {

class notifier_desk {
public:
  void open(notifier_actor notifier) {
    const std::lock_guard lock{mutex_};
    notifier_ = std::move(notifier);
  }
  void close() { open({}); }
  notifier_actor notifier() const {
    const std::lock_guard lock{mutex_};
    return notifier_;
  }
  void publish(std::vector<receiver_status> receivers) {
    const std::lock_guard lock{mutex_};
    receivers_ = std::move(receivers);
  }
  /// Nothing: there is no notifier.
  std::optional<std::vector<receiver_status>> receivers() const {
    const std::lock_guard lock{mutex_};
    return receivers_;
  }

private:
  mutable std::mutex mutex_;
  notifier_actor notifier_;
  std::optional<std::vector<receiver_status>> receivers_;
};

} // namespace poseidon
