#include "nodes/dialer/process_identity.hpp"

#include <gtest/gtest.h>

#include <string>

namespace poseidon {
namespace {

const std::string tail = " S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 20 18446744073709551615\n";

TEST(process_identity, reads_start_ticks) {
  EXPECT_EQ(start_ticks_of_stat("42 (httpd)" + tail), 987654u);
  EXPECT_EQ(start_ticks_of_stat("42 (a) b (c) 1 2 3)" + tail), 987654u) << "the name is the process's own choice";
  EXPECT_EQ(start_ticks_of_stat("42 ()" + tail), 987654u);
}

TEST(process_identity, refuses_malformed_stat) {
  EXPECT_FALSE(start_ticks_of_stat(""));
  EXPECT_FALSE(start_ticks_of_stat("42 (httpd"));
  EXPECT_FALSE(start_ticks_of_stat("42 (httpd) S 1 2 3"));
  EXPECT_FALSE(start_ticks_of_stat("42 (h) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765")) << "may be cut off";
  EXPECT_FALSE(start_ticks_of_stat("42 (h) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98x65 1\n"));
  EXPECT_FALSE(start_ticks_of_stat("42 (h) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 -5 1\n"));
  EXPECT_FALSE(start_ticks_of_stat("42 (h) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 99999999999999999999999 1\n"));
}

TEST(process_identity, every_prefix_is_safe) {
  const auto whole = "42 (httpd)" + tail;
  for (std::size_t length = 0; length < whole.size(); ++length)
    if (const auto ticks = start_ticks_of_stat(whole.substr(0, length))) {
      EXPECT_EQ(*ticks, 987654u);
    }
}

TEST(process_identity, finds_the_container_in_each_kind_of_cgroup_file) {
  const std::string id = "0f3a9bb0c9c7";
  EXPECT_TRUE(cgroup_names("0::/system.slice/docker-" + id + ".scope\n", id)) << "v2, systemd driver";
  EXPECT_TRUE(cgroup_names("0::/docker/" + id + "\n", id)) << "v2, cgroupfs driver";
  EXPECT_TRUE(cgroup_names("12:pids:/docker/" + id + "\n11:cpu,cpuacct:/docker/" + id + "\n1:name=systemd:/docker/" + id + "\n", id));
  EXPECT_TRUE(cgroup_names("2:cpu:/\n1:name=systemd:/machine.slice/libpod-" + id + ".scope\n0::/\n", id)) << "hybrid";
  EXPECT_TRUE(cgroup_names("0::/docker/" + id, id)) << "no newline at the end";
}

TEST(process_identity, refuses_other_cgroups) {
  EXPECT_FALSE(cgroup_names("0::/docker/aaaa\n", "bbbb"));
  EXPECT_FALSE(cgroup_names("0::/docker/aaaa\n", ""));
  EXPECT_FALSE(cgroup_names("", "aaaa"));
  EXPECT_FALSE(cgroup_names("12:pids:/\n", "pids")) << "only paths count";
  EXPECT_FALSE(cgroup_names("0::/aa\n1:cpu:/bb\n", "aa\n1:cpu"));
}

TEST(process_identity, knows_whose_shim_a_process_is) {
  using namespace std::string_view_literals;
  EXPECT_EQ(shim_container("/usr/bin/containerd-shim-runc-v2\0-namespace\0moby\0-id\0abc\0-address\0/x\0"sv), "abc");
  EXPECT_EQ(shim_container("containerd-shim\0--id\0abc"sv), "abc");
  EXPECT_EQ(shim_container("bash\0-id\0abc\0"sv), "");
  EXPECT_EQ(shim_container("containerd-shim\0-id"sv), "");
  EXPECT_EQ(shim_container(""sv), "");
}

} // namespace
} // namespace poseidon
