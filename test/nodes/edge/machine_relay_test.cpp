// Players of one machine's edge reach instances of another one's: two edges over loopback, with TLS between them.

#include "nodes/edge/machine_relay.hpp"
#include "test/nodes/edge/edge_fixture.hpp"

namespace poseidon::test {
namespace {

/// The fixture's edge is the player's; the instances' machine has a table and a relay of its own.
class machine_relay_test : public edge_fixture {
protected:
  void SetUp() override {
    edge_fixture::SetUp();
    options.connect_timeout = 3s;
  }
  void TearDown() override {
    if (edge) edge->stop();
    near.reset();
    far.reset();
    edge_fixture::TearDown();
  }
  relay_options far_options(const std::string& key = "the cluster's key") {
    relay_options made;
    made.listen = {{"127.0.0.1", 0}};
    made.machine.value = "that-machine";
    made.cluster_key = secret{key};
    made.handshake_timeout = 2s;
    made.connect_timeout = 2s;
    return made;
  }
  void start_far(relay_options made) {
    far.emplace(std::move(made), far_table, *dialer, time, nullptr);
    auto bound = far->start();
    ASSERT_TRUE(bound) << bound.error.detail;
    relay_port = bound->at(0).port;
  }
  void start_both(relay_options made, const std::string& near_key = "the cluster's key") {
    start_far(std::move(made));
    relay_options mine;
    mine.machine = options.machine;
    mine.cluster_key = secret{near_key};
    near.emplace(std::move(mine), table, *dialer, time, [this](const machine_id& machine) {
      return machine.value == "that-machine" ? std::vector{"127.0.0.1:" + std::to_string(relay_port)} : std::vector<std::string>{};
    });
    ASSERT_TRUE(near->start());
    options.reach = near->reach();
    start_edge();
  }
  /// Where it runs, as its own machine's edge knows it.
  void put_far(const namespace_process& instance, const std::string& host, std::uint64_t sequence = 1, std::optional<boot_time> deadline = {}) {
    auto wanted = route_to(instance, host, sequence, deadline);
    wanted.machine.value = "that-machine";
    const auto verdict = far_routes.put(wanted, time.wall_now());
    ASSERT_FALSE(verdict.refused) << verdict.refused.detail;
    far_table.apply(verdict.changes);
  }
  void end_far(const std::string& host, std::uint64_t sequence = 1) {
    far_table.apply(far_routes.end({host, {host}, epoch_of(sequence), end_reason::stopped, time.wall_now(), false}, time.wall_now()).changes);
  }
  /// As the ledger tells it to every other machine.
  void put_elsewhere(const std::string& host, std::uint64_t sequence = 1, const std::string& machine = "that-machine") {
    put({host, {host.substr(0, host.find('.'))}, epoch_of(sequence), {machine}, {}, {}});
  }
  void serve_alpha() {
    start_both(far_options());
    put_far(*alpha, "alpha.localhost");
    put_elsewhere("alpha.localhost");
  }

  route_table far_routes;
  edge_table far_table;
  std::optional<machine_relay> far, near;
  std::uint16_t relay_port = 0;
};

TEST_F(machine_relay_test, a_player_reaches_an_instance_of_the_other_machine) {
  serve_alpha();
  EXPECT_EQ(body_of(ask(get("alpha.localhost"))), "alpha");
  EXPECT_EQ(far->counters().led.load(), 1u);
}

TEST_F(machine_relay_test, one_connection_serves_many_requests_and_the_very_bytes) {
  serve_alpha();
  raw_client client{port};
  for (int i = 0; i < 20; ++i) {
    const auto request = get("alpha.localhost", "/raw", "X-Odd:  \tvalue " + std::to_string(i) + "\r\n");
    client.send(request);
    EXPECT_EQ(body_of(client.read_reply()), request);
  }
}

TEST_F(machine_relay_test, large_bodies_arrive_unharmed_both_ways) {
  serve_alpha();
  const std::size_t size = 8 << 20;
  EXPECT_EQ(body_of(ask(get("alpha.localhost", "/download/" + std::to_string(size)))), random_bytes(size, 7));
  raw_client client{port};
  std::thread writer{[&] {
    client.send("POST /upload HTTP/1.1\r\nHost: alpha.localhost\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + random_bytes(size, 11));
  }};
  EXPECT_EQ(body_of(client.read_reply()), "same " + std::to_string(size));
  writer.join();
}

TEST_F(machine_relay_test, an_upgrade_and_a_half_close_pass_through) {
  serve_alpha();
  raw_client client{port};
  client.send(get("alpha.localhost", "/upgrade", "Upgrade: websocket\r\nConnection: Upgrade\r\n"));
  EXPECT_TRUE(read_until(client.fd(), "\r\n\r\n").starts_with("HTTP/1.1 101"));
  const std::string frame{"\x81\x05hello\x00\xff", 9};
  client.send(frame);
  EXPECT_EQ(client.read(frame.size()), frame);
  client.end_sending();
  EXPECT_EQ(client.read_all(), "the end");
}

TEST_F(machine_relay_test, what_the_instance_aborts_is_aborted_and_what_it_closes_is_closed) {
  serve_alpha();
  raw_client aborted{port}, closed{port};
  aborted.send(get("alpha.localhost", "/abort"));
  std::string text;
  char byte;
  ssize_t got = 0;
  while ((got = ::recv(aborted.fd(), &byte, 1, 0)) > 0) text += byte;
  EXPECT_LT(got, 0) << "not the regular end: " << text;
  closed.send(get("alpha.localhost", "/close"));
  EXPECT_TRUE(closed.read_all().ends_with("alpha"));
  EXPECT_EQ(closed.read_end(), 0);
}

TEST_F(machine_relay_test, an_answer_that_comes_before_the_body_was_read_arrives) {
  serve_alpha();
  raw_client client{port};
  client.send("POST /early HTTP/1.1\r\nHost: alpha.localhost\r\nContent-Length: 100000\r\n\r\n" + std::string(1000, 'x'));
  EXPECT_EQ(status_of(client.read_reply()), 413);
}

TEST_F(machine_relay_test, the_machines_own_edge_cuts_at_the_end_and_the_player_sees_a_cut) {
  serve_alpha();
  raw_client client{port};
  client.send(get("alpha.localhost", "/stream"));
  ASSERT_EQ(client.read(1), "x");
  end_far("alpha.localhost");
  char buffer[4096];
  ssize_t got = 0;
  while ((got = ::recv(client.fd(), buffer, sizeof buffer, 0)) > 0)
    ;
  EXPECT_LT(got, 0) << "a stream that was cut has no regular end";
  EXPECT_EQ(status_of(ask(get("alpha.localhost"))), 502) << "this edge has not heard of the end yet";
  end("alpha.localhost");
  EXPECT_EQ(status_of(ask(get("alpha.localhost"))), 410);
}

TEST_F(machine_relay_test, the_players_edge_cuts_too) {
  serve_alpha();
  raw_client client{port};
  client.send(get("alpha.localhost", "/stream"));
  ASSERT_EQ(client.read(1), "x");
  end("alpha.localhost");
  char buffer[4096];
  while (::recv(client.fd(), buffer, sizeof buffer, 0) > 0)
    ;
  EXPECT_EQ(status_of(ask(get("alpha.localhost"))), 410);
}

TEST_F(machine_relay_test, another_key_is_refused_before_a_word_is_said) {
  start_both(far_options(), "another cluster's key");
  put_far(*alpha, "alpha.localhost");
  put_elsewhere("alpha.localhost");
  EXPECT_EQ(status_of(ask(get("alpha.localhost"))), 502);
  EXPECT_EQ(far->counters().led.load(), 0u);
}

TEST_F(machine_relay_test, plain_bytes_and_silence_get_nowhere) {
  auto made = far_options();
  made.handshake_timeout = 300ms;
  start_far(made);
  raw_client plain{relay_port}, silent{relay_port};
  plain.send(get("alpha.localhost"));
  EXPECT_EQ(plain.read_all().find("HTTP"), std::string::npos);
  EXPECT_NE(silent.read_end(), -1) << "hung up on in time";
}

TEST_F(machine_relay_test, only_that_very_copy_is_led_to) {
  start_both(far_options());
  put_far(*alpha, "alpha.localhost", 5);
  put_elsewhere("alpha.localhost", 4);
  EXPECT_EQ(status_of(ask(get("alpha.localhost"))), 502) << "an older copy is gone there";
  put_elsewhere("alpha.localhost", 6);
  EXPECT_EQ(status_of(ask(get("alpha.localhost"))), 502) << "a newer one is not known there";
  put_far(*alpha, "alpha.localhost", 6);
  EXPECT_EQ(body_of(ask(get("alpha.localhost"))), "alpha");
}

TEST_F(machine_relay_test, no_connection_goes_further_than_one_machine) {
  start_both(far_options());
  far_table.apply(far_routes.put({"beta.localhost", {"beta"}, epoch_of(1), {"third-machine"}, {}, {}}, time.wall_now()).changes);
  put_elsewhere("beta.localhost");
  EXPECT_EQ(status_of(ask(get("beta.localhost"))), 502);
}

TEST_F(machine_relay_test, an_unknown_machine_and_a_dead_edge_are_said_at_once) {
  start_both(far_options());
  put_elsewhere("alpha.localhost", 1, "no-such-machine");
  EXPECT_EQ(status_of(ask(get("alpha.localhost"))), 502);
  put_elsewhere("beta.localhost");
  far->stop();
  far.reset();
  EXPECT_EQ(status_of(ask(get("beta.localhost"))), 502);
}

TEST_F(machine_relay_test, an_instances_connections_are_bounded_there) {
  auto made = far_options();
  made.connections_per_instance = 2;
  start_both(made);
  put_far(*alpha, "alpha.localhost");
  put_elsewhere("alpha.localhost");
  raw_client first{port}, second{port};
  for (auto* each : {&first, &second}) {
    each->send(get("alpha.localhost"));
    EXPECT_EQ(body_of(each->read_reply()), "alpha");
  }
  EXPECT_GE(status_of(ask(get("alpha.localhost"))), 502);
}

TEST_F(machine_relay_test, many_at_once) {
  serve_alpha();
  std::vector<std::thread> players;
  std::atomic<int> fine = 0;
  for (int i = 0; i < 8; ++i)
    players.emplace_back([&] {
      for (int n = 0; n < 25; ++n) fine += body_of(ask(get("alpha.localhost"))) == "alpha";
    });
  for (auto& each : players) each.join();
  EXPECT_EQ(fine.load(), 200);
}

} // namespace
} // namespace poseidon::test
