#include "actors/membership/member_board.hpp"

#include <gtest/gtest.h>

namespace poseidon {
namespace {

member heard_of(const std::string& process, std::int64_t its_wall_ms, std::int64_t heard_at_ms) {
  member one;
  one.said.process = process;
  one.said.node = node_status{};
  one.said.at = wall_time{its_wall_ms};
  one.heard = boot_time{heard_at_ms};
  return one;
}

TEST(member_board, tells_how_far_another_clock_is_ahead_of_this_one) {
  member_board board;
  board.put({heard_of("n2", 9'000'000, 1'000), heard_of("n3", 5'000'100, 1'000)});
  // Heard 500 ms ago, when this machine's wall clock stood at 5,000,000.
  EXPECT_EQ(board.clock_ahead("n2", boot_time{1'500}, wall_time{5'000'500}), millis{4'000'000});
  EXPECT_EQ(board.clock_ahead("n3", boot_time{1'500}, wall_time{5'000'500}), millis{0}) << "below a second it is the same clock";
}

TEST(member_board, does_not_know_the_clock_of_whom_it_never_heard) {
  member_board board;
  EXPECT_EQ(board.clock_ahead("n2", boot_time{1'500}, wall_time{5'000'500}), std::nullopt);
  board.put({heard_of("n2", 0, 1'000)}); // an older Poseidon, which does not say
  EXPECT_EQ(board.clock_ahead("n2", boot_time{1'500}, wall_time{5'000'500}), std::nullopt);
}

} // namespace
} // namespace poseidon
