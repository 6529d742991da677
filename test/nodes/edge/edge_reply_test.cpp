// What the edge answers itself, and whom it refuses.

#include "test/nodes/edge/edge_fixture.hpp"

#include <atomic>
#include <future>

namespace poseidon::test {
namespace {

using edge_reply = edge_fixture;

TEST_F(edge_reply, an_unknown_host_is_404) {
  start_edge();
  raw_client client{port};
  client.send(get("nobody.localhost"));
  const auto reply = client.read_all(); // the edge closes
  EXPECT_EQ(status_of(reply), 404);
  EXPECT_NE(reply.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_EQ(reply.find("nobody"), std::string::npos) << "nothing that was sent comes back";
}

TEST_F(edge_reply, an_ended_one_is_410_with_reason_and_time) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  end("alpha.localhost", 1, end_reason::solved);
  const auto reply = ask(get("alpha.localhost"));
  EXPECT_EQ(status_of(reply), 410);
  EXPECT_NE(reply.find("solved"), std::string::npos);
  EXPECT_NE(reply.find(to_rfc3339(time.wall_now()).substr(0, 15)), std::string::npos);
}

TEST_F(edge_reply, one_not_ready_is_503_then_loads) {
  start_edge();
  announce("alpha.localhost");
  auto reply = ask(get("alpha.localhost"));
  EXPECT_EQ(status_of(reply), 503);
  EXPECT_NE(reply.find("\r\nRetry-After: 1\r\n"), std::string::npos);
  EXPECT_EQ(reply.find("<html"), std::string::npos) << "curl gets text";
  reply = ask(get("alpha.localhost", "/", "Accept: text/html,application/xhtml+xml\r\n"));
  EXPECT_EQ(status_of(reply), 503);
  EXPECT_NE(reply.find("http-equiv=\"refresh\""), std::string::npos) << "a browser gets a page that waits";
  put(route_to(*alpha, "alpha.localhost"));
  EXPECT_EQ(body_of(ask(get("alpha.localhost"))), "alpha");
}

TEST_F(edge_reply, a_replaced_one_waits_for_its_next_epoch) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost", 1));
  end("alpha.localhost", 1, end_reason::stopped, true);
  EXPECT_EQ(status_of(ask(get("alpha.localhost"))), 503);
  put(route_to(*beta, "alpha.localhost", 2));
  EXPECT_EQ(body_of(ask(get("alpha.localhost"))), "beta");
}

TEST_F(edge_reply, no_answer_is_502) {
  start_edge();
  namespace_process closed{80, [](int) {}, listening::no};
  put(route_to(closed, "closed.localhost"));
  EXPECT_EQ(status_of(ask(get("closed.localhost"))), 502);
  namespace_process dead{80, [](int fd) { serve("dead", fd); }};
  put(route_to(dead, "dead.localhost"));
  EXPECT_EQ(body_of(ask(get("dead.localhost"))), "dead");
  dead.stop();
  EXPECT_EQ(status_of(ask(get("dead.localhost"))), 502);
}

TEST_F(edge_reply, a_service_that_does_not_accept_is_502_in_time) {
  options.connect_timeout = 150ms;
  start_edge();
  namespace_process full{80, [](int) {}, listening::full};
  put(route_to(full, "full.localhost"));
  std::promise<outcome<unique_fd>> first; // takes the one place there is
  dialer->async_connect(full.where(), 80, 5s, [&](outcome<unique_fd> got) { first.set_value(std::move(got)); });
  const auto held = first.get_future().get();
  ASSERT_TRUE(held) << held.error.detail;
  EXPECT_EQ(status_of(ask(get("full.localhost"))), 502);
}

TEST_F(edge_reply, another_machine_is_502) {
  start_edge();
  auto elsewhere = route_to(*alpha, "alpha.localhost");
  elsewhere.machine.value = "another-machine";
  put(elsewhere);
  EXPECT_EQ(status_of(ask(get("alpha.localhost"))), 502);
}

TEST_F(edge_reply, a_head_request_gets_no_body) {
  start_edge();
  raw_client client{port};
  client.send("HEAD / HTTP/1.1\r\nHost: nobody.localhost\r\n\r\n");
  const auto reply = client.read_all();
  EXPECT_EQ(status_of(reply), 404);
  EXPECT_EQ(body_of(reply), "");
}

TEST_F(edge_reply, malformed_requests_are_refused) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  for (const std::string bad :
       {"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: alpha.localhost\r\nHost: alpha.localhost\r\n\r\n",
        "GET http://beta.localhost/ HTTP/1.1\r\nHost: alpha.localhost\r\n\r\n", "GET / HTTP/1.1\nHost: alpha.localhost\n\n",
        "POST / HTTP/1.1\r\nHost: alpha.localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "\x16\x03\x01\x02 a TLS greeting", "GET / HTTP/1.1\r\nHost: alpha.localhost\r\nX: a\r\n b\r\n\r\n"}) {
    raw_client client{port};
    client.send(bad);
    EXPECT_EQ(status_of(client.read_all()), 400) << bad;
  }
  EXPECT_EQ(edge->counters().refused, 7u);
  EXPECT_EQ(edge->counters().relayed, 0u);
}

TEST_F(edge_reply, too_large_a_head_is_431) {
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  const std::string filler(4000, 'x');
  std::string head = "GET / HTTP/1.1\r\nHost: alpha.localhost\r\n";
  for (int i = 0; i < 5; ++i) head += "X-Filler: " + filler + "\r\n";
  EXPECT_EQ(status_of(ask(head + "\r\n")), 431);
  EXPECT_EQ(status_of(ask("GET /" + std::string(100'000, 'y'))), 431);
}

TEST_F(edge_reply, a_head_that_trickles_is_408) {
  options.head_timeout = 300ms;
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  raw_client client{port};
  client.send("GET / HTTP/1.1\r\nHost: alpha.localhost\r\n");
  const auto began = std::chrono::steady_clock::now();
  timeval step{0, 50'000}; // one byte whenever nothing has come for 50 ms
  ::setsockopt(client.fd(), SOL_SOCKET, SO_RCVTIMEO, &step, sizeof step);
  std::string reply;
  while (reply.empty() && std::chrono::steady_clock::now() < began + 5s) {
    client.send("x");
    reply = client.read(12);
  }
  EXPECT_EQ(reply, "HTTP/1.1 408");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
}

TEST_F(edge_reply, one_that_sends_nothing_is_closed_without_a_word) {
  options.head_timeout = 100ms;
  start_edge();
  raw_client client{port};
  EXPECT_EQ(client.read_all(), "");
}

TEST_F(edge_reply, too_many_from_one_source_are_refused_others_are_not) {
  options.connections_per_source = 3;
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  std::vector<std::unique_ptr<raw_client>> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(std::make_unique<raw_client>(port));
    held.back()->send(get("alpha.localhost"));
    EXPECT_EQ(body_of(held.back()->read_reply()), "alpha");
  }
  raw_client fourth{port};
  EXPECT_EQ(status_of(fourth.read_all()), 503);
  raw_client neighbour{port, "127.0.0.2"};
  neighbour.send(get("alpha.localhost"));
  EXPECT_EQ(body_of(neighbour.read_reply()), "alpha");
  held.clear(); // makes room, as soon as the edge has seen it
  const auto until = std::chrono::steady_clock::now() + 5s;
  std::string body;
  while (body != "alpha" && std::chrono::steady_clock::now() < until) body = body_of(ask(get("alpha.localhost")));
  EXPECT_EQ(body, "alpha");
}

TEST_F(edge_reply, connections_are_bounded_altogether_and_by_instance) {
  options.connections = 4;
  options.connections_per_instance = 2;
  start_edge();
  put(route_to(*alpha, "alpha.localhost"));
  raw_client one{port}, two{port}, three{port}, four{port};
  one.send(get("alpha.localhost"));
  EXPECT_EQ(body_of(one.read_reply()), "alpha");
  two.send(get("alpha.localhost"));
  EXPECT_EQ(body_of(two.read_reply()), "alpha");
  raw_client fifth{port};
  EXPECT_EQ(status_of(fifth.read_all()), 503) << "full";
  three.send(get("alpha.localhost"));
  EXPECT_EQ(status_of(three.read_all()), 503) << "the instance has its two";
  EXPECT_EQ(edge->counters().too_many, 2u);
}

TEST_F(edge_reply, an_unknown_host_is_asked_for_once) {
  std::atomic<int> asked = 0;
  options.ask = [&](const std::string& host, std::function<void()> done) {
    ++asked;
    if (host == "late.localhost") put(route_to(*alpha, host));
    done();
  };
  start_edge();
  EXPECT_EQ(body_of(ask(get("late.localhost"))), "alpha");
  EXPECT_EQ(status_of(ask(get("never.localhost"))), 404);
  EXPECT_EQ(asked, 2);
}

TEST_F(edge_reply, an_ask_without_answer_ends_as_404) {
  options.ask_timeout = 100ms;
  std::vector<std::function<void()>> never;
  std::mutex guard;
  options.ask = [&](const std::string&, std::function<void()> done) {
    const std::lock_guard lock{guard};
    never.push_back(std::move(done));
  };
  start_edge();
  EXPECT_EQ(status_of(ask(get("never.localhost"))), 404);
  edge->stop();
  for (const auto& late : never) late(); // finds nobody, harms nobody
}

TEST_F(edge_reply, a_taken_port_is_a_failure_with_words) {
  start_edge();
  edge_options same = options;
  same.listen = {{"127.0.0.1", port}};
  edge_table other_table;
  edge_server other{same, other_table, *dialer, time};
  const auto bound = other.start();
  EXPECT_EQ(bound.error.code, errc::conflict);
  EXPECT_NE(bound.error.detail.find(std::to_string(port)), std::string::npos);
}

} // namespace
} // namespace poseidon::test
