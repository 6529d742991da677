#include "nodes/probe/probe_answer.hpp"

#include <gtest/gtest.h>

namespace poseidon {

TEST(probe_answer, waits_for_the_whole_status_line) {
  EXPECT_FALSE(judge_probe_answer("", "/"));
  EXPECT_FALSE(judge_probe_answer("HTTP/1.1 200", "/"));
}

TEST(probe_answer, success_and_redirects_are_healthy) {
  EXPECT_EQ(judge_probe_answer("HTTP/1.1 200 OK\r\n", "/")->code, errc::ok);
  EXPECT_EQ(judge_probe_answer("HTTP/1.0 302 Found\r\nLocation: /login\r\n", "/")->code, errc::ok);
  EXPECT_EQ(judge_probe_answer("HTTP/1.1 204\n", "/")->code, errc::ok);
}

TEST(probe_answer, everything_else_says_why) {
  const auto broken = judge_probe_answer("HTTP/1.1 503 Service Unavailable\r\n", "/health");
  EXPECT_EQ(broken->code, errc::never_healthy);
  EXPECT_NE(broken->detail.find("/health"), std::string::npos);
  EXPECT_NE(broken->detail.find("503"), std::string::npos);
  EXPECT_EQ(judge_probe_answer("SSH-2.0-OpenSSH\r\n", "/")->code, errc::never_healthy);
  EXPECT_EQ(judge_probe_answer("HTTP/1.1 2\r\n", "/")->code, errc::never_healthy);
  EXPECT_EQ(judge_probe_answer(std::string(2000, 'x'), "/")->code, errc::never_healthy);
}

TEST(probe_answer, the_request_closes_the_connection) {
  EXPECT_EQ(probe_request("/h?x=1", "a.localhost"),
            "GET /h?x=1 HTTP/1.1\r\nHost: a.localhost\r\nUser-Agent: poseidon-health\r\nConnection: close\r\n\r\n");
}

} // namespace poseidon
