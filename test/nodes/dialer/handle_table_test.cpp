#include "nodes/dialer/handle_table.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <memory>
#include <set>

namespace poseidon {
namespace {

held_process some_process() {
  return {unique_fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)}, unique_fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)}};
}

TEST(handle_table, finds_what_it_holds) {
  auto table = std::make_unique<handle_table>(4);
  const auto handle = table->insert(some_process());
  ASSERT_NE(handle, 0u);
  ASSERT_NE(table->find(handle), nullptr);
  EXPECT_TRUE(table->find(handle)->pidfd);
  EXPECT_EQ(table->find(0), nullptr);
  EXPECT_EQ(table->find(handle + 1), nullptr);
  EXPECT_EQ(table->find(handle + (1ull << 32)), nullptr);
  EXPECT_TRUE(table->erase(handle));
  EXPECT_FALSE(table->erase(handle));
  EXPECT_EQ(table->find(handle), nullptr);
}

TEST(handle_table, evicts_the_one_unused_for_longest) {
  auto table = std::make_unique<handle_table>(3);
  const auto a = table->insert(some_process()), b = table->insert(some_process()), c = table->insert(some_process());
  table->find(a);
  const auto d = table->insert(some_process());
  EXPECT_EQ(table->find(b), nullptr);
  EXPECT_NE(table->find(a), nullptr);
  EXPECT_NE(table->find(c), nullptr);
  EXPECT_NE(table->find(d), nullptr);
  EXPECT_EQ(table->size(), 3u);
}

TEST(handle_table, never_gives_a_handle_twice) {
  auto table = std::make_unique<handle_table>(8);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto handle = table->insert(some_process());
    EXPECT_TRUE(seen.insert(handle).second);
    if (i % 3 == 0) table->erase(handle);
  }
  EXPECT_LE(table->size(), 8u);
}

TEST(handle_table, closes_what_it_drops) {
  auto table = std::make_unique<handle_table>(1);
  auto process = some_process();
  const int fd = process.pidfd.get();
  table->insert(std::move(process));
  EXPECT_GE(::fcntl(fd, F_GETFD), 0);
  table->insert(some_process());
  auto again = table->insert(some_process());
  table->erase(again);
  EXPECT_EQ(table->size(), 0u);
  EXPECT_LT(::fcntl(fd, F_GETFD), 0);
}

} // namespace
} // namespace poseidon
