#include "nodes/host/service_manager.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace poseidon {

TEST(service_manager, sends_the_state_as_one_datagram) {
  const std::string path = testing::TempDir() + "poseidon-notify-" + std::to_string(::getpid());
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(notify_service_manager(path, "READY=1"));
  char buffer[64];
  const auto size = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(size)), "READY=1");
  ::close(fd);
  ::unlink(path.c_str());
}

TEST(service_manager, no_socket_is_fine_and_a_dead_one_is_told) {
  EXPECT_TRUE(notify_service_manager("", "READY=1"));
  EXPECT_FALSE(notify_service_manager("/nonexistent/socket", "READY=1"));
}

TEST(service_manager, the_watchdog_is_fed_twice_in_its_time_when_it_is_ours) {
  EXPECT_FALSE(watchdog_period({}, 7));
  EXPECT_EQ(watchdog_period({{"WATCHDOG_USEC", "30000000"}}, 7), millis{15'000});
  EXPECT_EQ(watchdog_period({{"WATCHDOG_USEC", "30000000"}, {"WATCHDOG_PID", "7"}}, 7), millis{15'000});
  EXPECT_FALSE(watchdog_period({{"WATCHDOG_USEC", "30000000"}, {"WATCHDOG_PID", "8"}}, 7));
  EXPECT_FALSE(watchdog_period({{"WATCHDOG_USEC", "0"}}, 7));
  EXPECT_FALSE(watchdog_period({{"WATCHDOG_USEC", "soon"}}, 7));
}

} // namespace poseidon
