#pragma once

#include <utility>

#include "nodes/dialer/dialer.hpp"
#include "nodes/dialer/dialer_client.hpp"
#include "nodes/edge/edge_server.hpp"
#include "test/nodes/edge/service.hpp"
#include "test/support/real_clock.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace poseidon::test {

using namespace std::chrono_literals;

/// A whole data plane (dialer, table, edge) in front of two stand-in instances, "alpha" and "beta", in namespaces of their
/// own. Needs root.
class edge_fixture : public testing::Test {
protected:
  static void SetUpTestSuite() {
    ASSERT_EQ(::geteuid(), 0u) << "the edge's tests need root: they make network namespaces";
    alpha = new namespace_process{80, [](int fd) { serve("alpha", fd); }};
    beta = new namespace_process{8000, [](int fd) { serve("beta", fd); }};
  }
  static void TearDownTestSuite() {
    delete std::exchange(alpha, nullptr);
    delete std::exchange(beta, nullptr);
  }

  void SetUp() override {
    ASSERT_TRUE(alpha && beta);
    auto started = start_dialer();
    ASSERT_TRUE(started) << started.error.detail;
    dialer_pid = started->pid;
    dialer.emplace(io, std::move(started->socket));
    runner = std::thread{[this] { io.run(); }};
    options.listen = {{"127.0.0.1", 0}};
    options.machine.value = "this-machine";
  }
  void TearDown() override {
    if (edge) edge->stop();
    if (dialer) dialer->stop();
    work.reset();
    if (runner.joinable()) runner.join();
    edge.reset();
    dialer.reset();
    if (dialer_pid > 0) {
      EXPECT_EQ(reap_dialer(dialer_pid), 0);
    }
  }

  void start_edge() {
    edge.emplace(options, table, *dialer, time);
    auto bound = edge->start();
    ASSERT_TRUE(bound) << bound.error.detail;
    port = bound->at(0).port;
  }

  static struct epoch epoch_of(std::uint64_t sequence) { return {1, sequence, {7, sequence}}; }
  route route_to(const namespace_process& instance, const std::string& host, std::uint64_t sequence = 1,
                 std::optional<boot_time> deadline = std::nullopt) {
    return {host, {host.substr(0, host.find('.'))}, epoch_of(sequence), {"this-machine"}, instance.where(), deadline};
  }
  void put(const route& wanted) {
    const auto verdict = routes.put(wanted, time.wall_now());
    ASSERT_FALSE(verdict.refused) << verdict.refused.detail;
    table.apply(verdict.changes);
  }
  void announce(const std::string& host, std::uint64_t sequence = 1) {
    table.apply(routes.announce({host, {host}, epoch_of(sequence)}, time.wall_now()).changes);
  }
  void end(const std::string& host, std::uint64_t sequence = 1, end_reason reason = end_reason::stopped, bool replaced = false) {
    table.apply(routes.end({host, {host}, epoch_of(sequence), reason, time.wall_now(), replaced}, time.wall_now()).changes);
  }
  /// Sends one request on a connection of its own; the reply, up to its Content-Length.
  std::string ask(const std::string& request) {
    raw_client client{port};
    client.send(request);
    return client.read_reply();
  }

  static inline namespace_process *alpha = nullptr, *beta = nullptr;
  boost::asio::io_context io;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work{io.get_executor()};
  std::optional<dialer_client> dialer;
  std::thread runner;
  pid_t dialer_pid = 0;
  real_clock time;
  route_table routes;
  edge_table table;
  edge_options options;
  std::optional<edge_server> edge;
  std::uint16_t port = 0;
};

} // namespace poseidon::test
