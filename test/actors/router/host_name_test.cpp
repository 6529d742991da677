#include "actors/router/host_name.hpp"

#include <gtest/gtest.h>

#include <random>

namespace poseidon {
namespace {

TEST(host_name, drops_port_case_and_trailing_dot) {
  EXPECT_EQ(normal_host("a.localhost"), "a.localhost");
  EXPECT_EQ(normal_host("A.LocalHost:8081"), "a.localhost");
  EXPECT_EQ(normal_host("a.localhost."), "a.localhost");
  EXPECT_EQ(normal_host("a.localhost.:80"), "a.localhost");
  EXPECT_EQ(normal_host("a.localhost:"), "a.localhost") << "an empty port is allowed by RFC 3986";
  EXPECT_EQ(normal_host("a_b.203-0-113-7.sslip.io"), "a_b.203-0-113-7.sslip.io");
  EXPECT_EQ(normal_host("127.0.0.1:1"), "127.0.0.1");
  EXPECT_EQ(normal_host("[::1]:8081"), "[::1]");
  EXPECT_EQ(normal_host("[FE80::1]"), "[fe80::1]");
}

TEST(host_name, refuses_what_is_none) {
  for (const char* bad : {"", ":80", ".", "..", ".a", "a..b", "a b", "a,b", "a/b", "user@a", "a:b", "a:80:80", "a:65536", "a:999999",
                          "a:-1", "a:8 ", "[", "[]", "[]:1", "[::1", "[::1]80", "[::1]:x", "[g::1]", "a%2e", "a\tb", "a\\b", "[::1%eth0]", "é"})
    EXPECT_FALSE(normal_host(bad)) << bad;
  EXPECT_FALSE(normal_host(std::string(254, 'a')));
  EXPECT_TRUE(normal_host(std::string(253, 'a')));
  EXPECT_FALSE(normal_host(std::string_view{"a\0b", 3}));
}

TEST(host_name, the_normal_form_is_its_own_normal_form) {
  std::mt19937_64 random{11};
  const std::string letters = "aZ09.-_:[]fF@ \t";
  for (int i = 0; i < 200'000; ++i) {
    std::string text(random() % 12, ' ');
    for (auto& c : text) c = letters[random() % letters.size()];
    if (const auto host = normal_host(text)) {
      EXPECT_EQ(normal_host(*host), host) << text;
    }
  }
}

} // namespace
} // namespace poseidon
