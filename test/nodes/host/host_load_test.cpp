#include "nodes/host/host_load.hpp"

#include <gtest/gtest.h>

namespace poseidon {

TEST(host_load, busy_time_is_everything_but_idle_and_iowait) {
  const auto sample = parse_proc_stat("cpu  10 20 30 400 50 6 7 8 9 9\ncpu0 1 1 1 1\n");
  EXPECT_EQ(sample.total, 10u + 20 + 30 + 400 + 50 + 6 + 7 + 8);
  EXPECT_EQ(sample.busy, 10u + 20 + 30 + 6 + 7 + 8);
}

TEST(host_load, malformed_text_counts_as_nothing) {
  EXPECT_EQ(parse_proc_stat("").total, 0u);
  EXPECT_EQ(parse_proc_stat("cpuX 1 2").total, 0u);
  EXPECT_EQ(parse_memory_permille("nothing here"), 0u);
}

TEST(host_load, share_between_samples) {
  EXPECT_EQ(cpu_permille_between({0, 0}, {50, 200}), 250u);
  EXPECT_EQ(cpu_permille_between({50, 200}, {50, 200}), 0u);
  EXPECT_EQ(cpu_permille_between({50, 200}, {40, 300}), 0u) << "a counter that ran backwards is no load";
}

TEST(host_load, memory_in_use_is_what_is_not_available) {
  EXPECT_EQ(parse_memory_permille("MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    250 kB\n"), 750u);
}

} // namespace poseidon
