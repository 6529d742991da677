// The real probe against a listener in a network namespace. Needs root.

#include <utility>

#include "nodes/dialer/dialer.hpp"
#include "nodes/probe/socket_probe.hpp"
#include "test/support/namespace_process.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <future>
#include <optional>

namespace poseidon {
namespace {

using test::namespace_process;

class socket_probe_test : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(::geteuid(), 0u) << "needs root: it makes network namespaces";
    auto started = start_dialer();
    ASSERT_TRUE(started) << started.error.detail;
    pid = started->pid;
    client.emplace(io, std::move(started->socket));
    port = make_socket_probe(io, *client);
    runner = std::thread{[this] { io.run(); }};
  }
  void TearDown() override {
    if (client) client->stop();
    work.reset();
    if (runner.joinable()) runner.join();
    port.reset();
    client.reset();
    if (pid > 0) reap_dialer(pid);
  }
  outcome<done> probe(const namespace_process& process, health_kind kind, std::uint16_t to = 8000, std::int64_t timeout_ms = 2000) {
    probe_endpoint request{process.where(), {kind, to, "/ready"}, "x.localhost", timeout_ms};
    std::promise<outcome<done>> answer;
    port->probe(request, [&](outcome<done> got) { answer.set_value(std::move(got)); });
    return answer.get_future().get();
  }

  boost::asio::io_context io;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work{io.get_executor()};
  std::optional<dialer_client> client;
  std::unique_ptr<probe_port> port;
  std::thread runner;
  pid_t pid = 0;
};

std::function<void(int)> answer_with(std::string text) {
  return [text](int fd) {
    test::read_until(fd, "\r\n\r\n");
    test::write_all(fd, text);
  };
}

TEST_F(socket_probe_test, tcp_is_healthy_once_something_listens) {
  namespace_process service{8000, answer_with("")};
  EXPECT_TRUE(probe(service, health_kind::tcp));
  EXPECT_EQ(probe(service, health_kind::tcp, 8001).error.code, errc::never_healthy);
}

TEST_F(socket_probe_test, http_looks_at_the_status) {
  namespace_process good{8000, answer_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")};
  EXPECT_TRUE(probe(good, health_kind::http));
  namespace_process bad{8000, answer_with("HTTP/1.1 500 Oops\r\n\r\n")};
  const auto refused = probe(bad, health_kind::http);
  EXPECT_EQ(refused.error.code, errc::never_healthy);
  EXPECT_NE(refused.error.detail.find("500"), std::string::npos);
}

TEST_F(socket_probe_test, http_that_never_answers_ends_with_the_timeout) {
  namespace_process mute{8000, [](int fd) { test::read_until(fd, ""); }};
  const auto late = probe(mute, health_kind::http, 8000, 50);
  EXPECT_EQ(late.error.code, errc::never_healthy);
}

} // namespace
} // namespace poseidon
