// Routing by host and the transparent relay, end to end.

#include "test/nodes/edge/edge_fixture.hpp"

#include <atomic>
#include <future>

namespace poseidon::test {
namespace {

using edge_relay = edge_fixture;

TEST_F(edge_relay, leads_each_host_to_its_instance) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  put(route_to(*beta, "beta.localhost"));
  EXPECT_EQ(body_of(ask(get("alpha.localhost"))), "alpha");
  EXPECT_EQ(body_of(ask(get("beta.localhost"))), "beta");
  EXPECT_EQ(body_of(ask(get("BETA.Localhost:8081"))), "beta") << "neither case nor port matter";
  EXPECT_EQ(edge->counters().relayed, 3u);
}

TEST_F(edge_relay, hands_on_the_very_bytes) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  const std::string odd = "GET /raw HTTP/1.1\r\nhOsT:\t ALPHA.localhost:99 \r\nX-Odd: \xc3\xa9 \x80\r\nX-Empty:\r\nx-twice: 1\r\nX-Twice: 2\r\n\r\n";
  EXPECT_EQ(body_of(ask(odd)), odd);
}

TEST_F(edge_relay, one_connection_stays_with_its_instance) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  put(route_to(*beta, "beta.localhost"));
  raw_client client{port};
  for (int i = 0; i < 5; ++i) {
    client.send(get("alpha.localhost"));
    EXPECT_EQ(body_of(client.read_reply()), "alpha");
  }
  client.send(get("beta.localhost"));
  EXPECT_EQ(body_of(client.read_reply()), "alpha") << "it was given to alpha, for good";
}

TEST_F(edge_relay, pipelined_requests_pass) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  raw_client client{port};
  client.send(get("alpha.localhost") + get("alpha.localhost", "/raw") + get("alpha.localhost"));
  EXPECT_EQ(body_of(client.read_reply()), "alpha");
  EXPECT_EQ(body_of(client.read_reply()), get("alpha.localhost", "/raw"));
  EXPECT_EQ(body_of(client.read_reply()), "alpha");
}

TEST_F(edge_relay, a_head_in_single_bytes_is_a_head) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  raw_client client{port};
  const int on = 1;
  ::setsockopt(client.fd(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
  for (const char c : get("alpha.localhost")) client.send({&c, 1});
  EXPECT_EQ(body_of(client.read_reply()), "alpha");
}

TEST_F(edge_relay, big_bodies_arrive_unharmed) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  constexpr std::size_t size = 24 << 20;
  const auto body = random_bytes(size, 11);
  EXPECT_EQ(body_of(ask("POST /upload HTTP/1.1\r\nHost: alpha.localhost\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + body)),
            "same " + std::to_string(size));
  EXPECT_TRUE(body_of(ask(get("alpha.localhost", "/download/" + std::to_string(size)))) == random_bytes(size, 7));
}

TEST_F(edge_relay, both_ways_at_once_with_a_slow_reader) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  raw_client client{port};
  client.send(get("alpha.localhost", "/echo"));
  const auto text = random_bytes(16 << 20, 3); // far more than all socket buffers between
  auto sender = std::async(std::launch::async, [&] {
    client.send(text);
    client.end_sending();
  });
  EXPECT_TRUE(client.read_all() == text + "the end");
}

TEST_F(edge_relay, half_close_is_handed_on) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  raw_client client{port};
  client.send(get("alpha.localhost", "/echo") + "some");
  EXPECT_EQ(client.read(4), "some");
  client.end_sending();
  EXPECT_EQ(client.read_all(), "the end") << "the other direction lives on";
}

TEST_F(edge_relay, the_instance_may_close_first) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  raw_client client{port};
  client.send(get("alpha.localhost", "/close"));
  EXPECT_EQ(body_of(client.read_all()), "alpha");
}

TEST_F(edge_relay, an_early_answer_reaches_a_client_that_still_sends) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  raw_client client{port};
  client.send("POST /early HTTP/1.1\r\nHost: alpha.localhost\r\nContent-Length: 4000000\r\n\r\n" + random_bytes(700'000, 5));
  EXPECT_EQ(status_of(client.read_reply()), 413);
}

TEST_F(edge_relay, an_aborted_answer_is_not_taken_for_a_whole_one) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  raw_client client{port};
  client.send(get("alpha.localhost", "/abort"));
  int end = -1;
  while (end == -1) end = client.read_end();
  EXPECT_EQ(end, ECONNRESET);
}

TEST_F(edge_relay, an_upgrade_becomes_a_two_way_stream) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  raw_client client{port};
  client.send(get("alpha.localhost", "/upgrade", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n"));
  EXPECT_EQ(status_of(client.read_reply()), 101);
  for (int i = 0; i < 50; ++i) {
    const auto frame = random_bytes(1 + static_cast<std::size_t>(i) * 37, static_cast<std::uint64_t>(i));
    client.send(frame);
    EXPECT_EQ(client.read(frame.size()), frame);
  }
}

TEST_F(edge_relay, a_hundred_at_once) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  put(route_to(*beta, "beta.localhost"));
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(std::make_unique<raw_client>(port));
  for (int i = 0; i < 100; ++i) clients[static_cast<std::size_t>(i)]->send(get(i % 2 ? "alpha.localhost" : "beta.localhost"));
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(body_of(clients[static_cast<std::size_t>(i)]->read_reply()), i % 2 ? "alpha" : "beta");
  EXPECT_EQ(edge->connections(), 100u);
}

TEST_F(edge_relay, idle_connections_are_closed) {
  options.idle_timeout = 150ms;
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  raw_client client{port};
  client.send(get("alpha.localhost"));
  EXPECT_EQ(body_of(client.read_reply()), "alpha");
  EXPECT_EQ(client.read_end(), 0);
}

TEST_F(edge_relay, traffic_in_one_direction_is_not_idle) {
  options.idle_timeout = 300ms;
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  raw_client client{port};
  client.send(get("alpha.localhost", "/stream"));
  const auto until = std::chrono::steady_clock::now() + 900ms;
  while (std::chrono::steady_clock::now() < until) ASSERT_EQ(client.read(1), "x");
}

} // namespace
} // namespace poseidon::test
