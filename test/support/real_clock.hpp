#pragma once

#include "messages/time.hpp"

#include <time.h>

namespace poseidon::test {

/// The machine's clocks, for tests of real input and output.
class real_clock final : public clock {
public:
  boot_time boot_now() const override { return {read(CLOCK_BOOTTIME)}; }
  wall_time wall_now() const override { return {read(CLOCK_REALTIME)}; }

private:
  static std::int64_t read(clockid_t which) {
    timespec now{};
    ::clock_gettime(which, &now);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
  }
};

} // namespace poseidon::test
