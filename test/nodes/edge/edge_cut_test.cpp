// Connections end with their route: at once when it goes, and at the deadline by the edge itself.

#include "test/nodes/edge/edge_fixture.hpp"

namespace poseidon::test {
namespace {

using edge_cut = edge_fixture;

/// Reads until the end; the moment of the end, on the boot clock.
boot_time read_to_the_end(raw_client& client, const clock& time) {
  char buffer[4096];
  while (::recv(client.fd(), buffer, sizeof buffer, 0) > 0)
    ;
  return time.boot_now();
}

TEST_F(edge_cut, all_connections_end_with_the_route) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  put(route_to(*beta, "beta.localhost"));
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<raw_client>(port));
    clients.back()->send(get("alpha.localhost", i % 2 ? "/stream" : "/silent"));
    if (i % 2) {
      EXPECT_EQ(clients.back()->read(1), "x");
    }
  }
  raw_client other{port};
  other.send(get("beta.localhost"));
  EXPECT_EQ(body_of(other.read_reply()), "beta");
  end("alpha.localhost");
  const auto began = time.boot_now();
  for (auto& client : clients) read_to_the_end(*client, time);
  EXPECT_LT((time.boot_now() - began).count(), 1000);
  EXPECT_EQ(status_of(ask(get("alpha.localhost"))), 410);
  other.send(get("beta.localhost"));
  EXPECT_EQ(body_of(other.read_reply()), "beta") << "nobody else is cut";
}

TEST_F(edge_cut, nothing_arrives_after_the_route_is_gone) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  for (int i = 0; i < 20; ++i) {
    put(route_to(*alpha, "alpha.localhost", static_cast<std::uint64_t>(i) + 1));
    raw_client client{port};
    client.send(get("alpha.localhost", "/echo") + "a");
    EXPECT_EQ(client.read(1), "a");
    end("alpha.localhost", static_cast<std::uint64_t>(i) + 1);
    client.send("b");
    EXPECT_NE(client.read(1), "b");
  }
}

TEST_F(edge_cut, a_newer_epoch_takes_over_and_cuts) {
  start_edge();
  put(route_to(*alpha, "host.localhost", 1));
  raw_client client{port};
  client.send(get("host.localhost"));
  EXPECT_EQ(body_of(client.read_reply()), "alpha");
  put(route_to(*beta, "host.localhost", 2));
  EXPECT_NE(client.read_end(), -1);
  EXPECT_EQ(body_of(ask(get("host.localhost"))), "beta");
  EXPECT_EQ(routes.put(route_to(*alpha, "host.localhost", 1), time.wall_now()).refused.code, errc::stale);
}

TEST_F(edge_cut, a_later_deadline_keeps_connections) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost", 1, time.boot_now() + 60s));
  raw_client client{port};
  client.send(get("alpha.localhost"));
  EXPECT_EQ(body_of(client.read_reply()), "alpha");
  client.send(get("alpha.localhost", "/stream"));
  ASSERT_EQ(client.read(1), "x");
  put(route_to(*alpha, "alpha.localhost", 1, time.boot_now() + 300ms));
  put(route_to(*alpha, "alpha.localhost", 1, time.boot_now() + 800ms));
  const auto deadline = *routes.find("alpha.localhost")->route.deadline;
  EXPECT_GE(read_to_the_end(client, time), deadline);
}

// How late it cuts is a benchmark's affair: a test machine may be busy.
TEST_F(edge_cut, the_deadline_cuts_both_directions_never_early) {
  start_edge();
  for (std::uint64_t epoch = 1; epoch <= 20; ++epoch) {
    put(route_to(*alpha, "alpha.localhost", epoch, time.boot_now() + 60s));
    raw_client streaming{port}, quiet{port};
    streaming.send(get("alpha.localhost", "/stream"));
    quiet.send(get("alpha.localhost", "/silent"));
    ASSERT_EQ(streaming.read(1), "x");
    const auto deadline = time.boot_now() + 60ms;
    put(route_to(*alpha, "alpha.localhost", epoch, deadline));
    EXPECT_GE(read_to_the_end(streaming, time), deadline);
    EXPECT_GE(read_to_the_end(quiet, time), deadline);
  }
}

TEST_F(edge_cut, after_the_deadline_it_is_410_expired_though_nobody_said_so) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost", 1, time.boot_now() - 1ms));
  const auto reply = ask(get("alpha.localhost"));
  EXPECT_EQ(status_of(reply), 410);
  EXPECT_NE(reply.find("expired"), std::string::npos);
  put(route_to(*alpha, "alpha.localhost", 1, time.boot_now() + 60s));
  EXPECT_EQ(body_of(ask(get("alpha.localhost"))), "alpha") << "extended after all";
}

TEST_F(edge_cut, deadlines_of_routes_that_were_there_first_hold_too) {
  put(route_to(*alpha, "alpha.localhost", 1, time.boot_now() + 2s));
  start_edge();
  raw_client client{port};
  client.send(get("alpha.localhost", "/stream"));
  ASSERT_EQ(client.read(1), "x");
  EXPECT_GE(read_to_the_end(client, time), *routes.find("alpha.localhost")->route.deadline);
}

TEST_F(edge_cut, stop_ends_everything) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  raw_client relaying{port}, silent{port};
  relaying.send(get("alpha.localhost"));
  EXPECT_EQ(body_of(relaying.read_reply()), "alpha");
  edge->stop();
  EXPECT_NE(relaying.read_end(), -1);
  EXPECT_NE(silent.read_end(), -1);
  EXPECT_EQ(edge->connections(), 0u);
}

} // namespace
} // namespace poseidon::test
