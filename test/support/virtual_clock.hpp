#pragma once
// Time that moves only when a test says so.

#include "messages/time.hpp"

#include <atomic>

namespace poseidon::test {

class virtual_clock : public clock {
public:
  boot_time boot_now() const override { return {boot_ms_.load()}; }
  wall_time wall_now() const override { return {wall_ms_.load()}; }
  void advance(millis by) {
    boot_ms_ += by.count();
    wall_ms_ += by.count();
  }
  /// Wall time alone: somebody set the clock.
  void jump_wall(millis by) { wall_ms_ += by.count(); }
  /// The machine restarted: the boot clock begins anew.
  void reboot(boot_time at) { boot_ms_ = at.ms; }

private:
  std::atomic<std::int64_t> boot_ms_{1'000'000};
  std::atomic<std::int64_t> wall_ms_{1'800'000'000'000};
};

} // namespace poseidon::test
