// The server alone, over real sockets, with a service that the test decides.

#include "gateway/server/server.hpp"

#include "test/gateway/http_client.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <future>
#include <set>
#include <thread>

#include <unistd.h>

namespace poseidon::gateway {

using poseidon::test::http_client;

namespace {

http_response plain(std::string body, int status = 200) { return {status, "text/plain", std::move(body), {}, false}; }

struct server_test : testing::Test {
  server_config config;
  std::unique_ptr<server> under_test;
  std::vector<bound_address> bound;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<exchange> held; ///< of "/hold"

  server_test() {
    config.listen = {"127.0.0.1:0"};
    config.threads = 2;
    config.limits.header_bytes = 2048;
    config.limits.body_bytes = 10'000;
  }
  ~server_test() override {
    held.clear();
    if (under_test) under_test->stop(std::chrono::milliseconds{100});
  }

  void start() {
    under_test = std::make_unique<server>(config, [](int status, std::string_view detail) { return plain(std::string(detail), status); });
    bound = under_test->bind();
    std::vector<http_service> services(under_test->threads(), [this](exchange ex) { answer(std::move(ex)); });
    under_test->run(std::move(services));
  }
  const std::string& url(std::size_t i = 0) const { return bound.at(i).url; }

  void answer(exchange ex) {
    auto& request = ex.request();
    if (request.path == "/hold") {
      std::lock_guard lock(mutex);
      held.push_back(std::move(ex));
      changed.notify_all();
    } else if (request.path == "/large") {
      ex.respond(plain(std::string(3'000'000, 'x')));
    } else if (request.path == "/stream") {
      stream(std::move(ex));
    } else if (request.path == "/peer") {
      ex.respond(plain(request.peer->unix_socket ? "unix " + std::to_string(request.peer->uid) : "tcp " + request.peer->address));
    } else {
      ex.respond(plain(std::string(to_string(request.method)) + " " + std::string(request.path) + " " + request.body));
    }
  }

  static void stream(exchange ex) {
    auto count = std::make_shared<int>(0);
    ex.begin_stream(plain(""), [ex, count] {
      if (++*count > 3) return ex.end();
      ex.write(std::make_shared<const std::string>("piece" + std::to_string(*count)));
    });
  }

  bool wait_for_held(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds{10}, [&] { return held.size() >= count; });
  }
};

} // namespace

TEST_F(server_test, keeps_a_connection_for_many_requests) {
  start();
  http_client client(url());
  for (int i = 0; i < 20; ++i) {
    auto answer = client.request("POST", "/echo", "b" + std::to_string(i));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "POST /echo b" + std::to_string(i));
  }
  EXPECT_EQ(under_test->connections(), 1u);
}

TEST_F(server_test, pipelined_requests_are_answered_in_order) {
  start();
  http_client client(url());
  std::string all;
  for (int i = 0; i < 50; ++i) all += "POST /p" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
  client.send(all);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.receive()->body, "POST /p" + std::to_string(i) + " abc");
}

TEST_F(server_test, requests_behind_one_that_waits_wait_too) {
  start();
  http_client client(url());
  client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\nGET /after HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(wait_for_held(1));
  auto ex = held.front();
  ex.thread().post([ex] { ex.respond(plain("first")); });
  EXPECT_EQ(client.receive()->body, "first");
  EXPECT_EQ(client.receive()->body, "GET /after ");
}

TEST_F(server_test, a_second_answer_to_the_same_request_is_ignored) {
  start();
  http_client client(url());
  client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(wait_for_held(1));
  auto ex = held.front();
  ex.thread().post([ex] {
    ex.respond(plain("first"));
    ex.respond(plain("second"));
  });
  EXPECT_EQ(client.receive()->body, "first");
  EXPECT_EQ(client.request("GET", "/next")->body, "GET /next ");
}

TEST_F(server_test, a_request_may_arrive_byte_by_byte) {
  start();
  http_client client(url());
  for (char c : std::string("POST /slow HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) client.send({&c, 1});
  EXPECT_EQ(client.receive()->body, "POST /slow abcde");
}

TEST_F(server_test, a_head_too_large_is_431) {
  start();
  http_client client(url());
  client.send("GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(5'000, 'a') + "\r\n\r\n");
  auto answer = client.receive();
  EXPECT_EQ(answer->status, 431);
  EXPECT_EQ(answer->header("connection"), "close");
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(server_test, a_body_too_large_is_413_before_it_is_sent) {
  start();
  http_client client(url());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10001\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive()->status, 413);
  http_client chunked(url());
  chunked.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 3; ++i) chunked.send("1000\r\n" + std::string(4096, 'x') + "\r\n");
  EXPECT_EQ(chunked.receive()->status, 413);
}

TEST_F(server_test, a_refusal_arrives_although_the_client_goes_on_sending) {
  start();
  http_client client(url());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n");
  client.send(std::string(500'000, 'x'));
  auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
}

TEST_F(server_test, expect_continue_is_answered_once) {
  start();
  http_client client(url());
  client.send("POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive()->status, 100);
  client.send("ab");
  client.send("cd");
  EXPECT_EQ(client.receive()->body, "POST /c abcd");
}

TEST_F(server_test, malformed_requests_are_400_and_end_the_connection) {
  start();
  for (std::string bad : {"NONSENSE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nBad Header: x\r\n\r\n",
                          "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
                          "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                          "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc"}) {
    http_client client(url());
    client.send(bad);
    auto answer = client.receive();
    ASSERT_TRUE(answer) << bad;
    EXPECT_EQ(answer->status, 400) << bad;
    EXPECT_TRUE(client.closed_by_server());
  }
}

TEST_F(server_test, head_has_the_length_but_no_body) {
  start();
  http_client client(url());
  auto answer = client.request("HEAD", "/x");
  EXPECT_EQ(answer->header("content-length"), std::to_string(std::string("HEAD /x ").size()));
  EXPECT_EQ(client.request("GET", "/y")->body, "GET /y ") << "nothing of a body is in between";
}

TEST_F(server_test, an_http_1_0_client_gets_one_answer) {
  start();
  http_client client(url());
  client.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.receive()->body, "GET /old ");
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(server_test, connection_close_is_honoured) {
  start();
  http_client client(url());
  EXPECT_EQ(client.request("GET", "/bye", {}, {{"Connection", "close"}})->header("connection"), "close");
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(server_test, a_slow_head_is_408) {
  config.limits.header_timeout = std::chrono::milliseconds{100};
  start();
  http_client client(url());
  client.send("GET / HTTP/1.1\r\nHos");
  EXPECT_EQ(client.receive()->status, 408);
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(server_test, a_slow_body_is_408) {
  config.limits.body_timeout = std::chrono::milliseconds{100};
  start();
  http_client client(url());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(client.receive()->status, 408);
}

TEST_F(server_test, an_idle_connection_is_closed_without_a_word) {
  config.limits.idle_timeout = std::chrono::milliseconds{100};
  start();
  http_client client(url());
  EXPECT_FALSE(client.receive());
}

TEST_F(server_test, a_client_that_does_not_read_is_dropped) {
  config.limits.write_timeout = std::chrono::milliseconds{200};
  start();
  http_client client(url());
  for (int i = 0; i < 4; ++i) client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (under_test->connections() > 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_EQ(under_test->connections(), 0u);
}

TEST_F(server_test, large_answers_arrive_whole) {
  start();
  http_client client(url());
  EXPECT_EQ(client.request("GET", "/large")->body.size(), 3'000'000u);
}

TEST_F(server_test, streams_are_chunked_and_leave_the_connection_usable) {
  start();
  http_client client(url());
  auto answer = client.request("GET", "/stream");
  EXPECT_EQ(answer->header("transfer-encoding"), "chunked");
  EXPECT_EQ(answer->body, "piece1piece2piece3");
  EXPECT_EQ(client.request("GET", "/after")->body, "GET /after ");
  auto head = client.request("HEAD", "/stream");
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(client.request("GET", "/after")->body, "GET /after ");
  http_client old(url());
  old.send("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.receive()->body, "piece1piece2piece3");
}

TEST_F(server_test, a_client_that_leaves_is_noticed_while_its_request_waits) {
  start();
  std::promise<void> left;
  {
    http_client client(url());
    client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(wait_for_held(1));
    auto ex = held.front();
    ex.thread().post([ex, &left] { ex.on_closed([&left] { left.set_value(); }); });
  }
  EXPECT_EQ(left.get_future().wait_for(std::chrono::seconds{5}), std::future_status::ready);
}

TEST_F(server_test, connections_beyond_the_limit_are_closed) {
  config.limits.connections = 2;
  start();
  http_client one(url()), two(url());
  EXPECT_TRUE(one.request("GET", "/1"));
  EXPECT_TRUE(two.request("GET", "/2"));
  http_client three(url());
  EXPECT_FALSE(three.receive());
  EXPECT_TRUE(one.request("GET", "/1"));
}

TEST_F(server_test, listens_on_ipv6_and_unix_too_and_knows_the_peer) {
  auto path = std::filesystem::temp_directory_path() / ("poseidon-server-test-" + std::to_string(::getpid()) + ".sock");
  config.listen = {"127.0.0.1:0", "[::1]:0", "unix:" + path.string()};
  start();
  EXPECT_EQ(http_client(url(0)).request("GET", "/peer")->body, "tcp 127.0.0.1");
  EXPECT_EQ(http_client(url(1)).request("GET", "/peer")->body, "tcp ::1");
  for (int i = 0; i < 4; ++i) // dealt out to every thread
    EXPECT_EQ(http_client(url(2)).request("GET", "/peer")->body, "unix " + std::to_string(::geteuid()));
  EXPECT_EQ(std::filesystem::status(path).permissions() & std::filesystem::perms::others_all, std::filesystem::perms::none);
  server second({{"unix:" + path.string()}, 1, 0660, {}}, nullptr);
  EXPECT_THROW(second.bind(), std::runtime_error) << "a live socket is not taken over";
  under_test->stop(std::chrono::milliseconds{100});
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(server_test, a_stale_socket_file_is_replaced) {
  auto path = std::filesystem::temp_directory_path() / ("poseidon-stale-test-" + std::to_string(::getpid()) + ".sock");
  {
    server first({{"unix:" + path.string()}, 1, 0660, {}}, nullptr);
    first.bind();
    std::filesystem::create_hard_link(path, path.string() + ".link");
  }
  std::filesystem::rename(path.string() + ".link", path); // as a killed process leaves it
  config.listen = {"unix:" + path.string()};
  start();
  EXPECT_TRUE(http_client(url()).request("GET", "/x"));
}

TEST_F(server_test, a_port_in_use_is_refused_with_its_name) {
  start();
  auto taken = url().substr(std::string("http://").size());
  server second({{taken}, 1, 0660, {}}, nullptr);
  try {
    second.bind();
    FAIL() << "the port would be shared with another process";
  } catch (const std::runtime_error& e) {
    EXPECT_NE(std::string(e.what()).find(taken), std::string::npos) << e.what();
  }
  for (auto bad : {"nonsense", "127.0.0.1:99999", "host.example:80", "unix:"}) {
    server other({{bad}, 1, 0660, {}}, nullptr);
    EXPECT_THROW(other.bind(), std::runtime_error) << bad;
  }
}

TEST_F(server_test, stop_lets_an_answer_finish_and_closes_idle_ones) {
  start();
  http_client idle(url()), busy(url());
  EXPECT_TRUE(idle.request("GET", "/x"));
  busy.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(wait_for_held(1));
  std::promise<void> armed;
  auto ex = held.front();
  held.clear();
  ex.thread().post([ex, &armed] {
    ex.on_closed([ex] { ex.respond(plain("last words")); });
    armed.set_value();
  });
  armed.get_future().wait();
  under_test->stop(std::chrono::seconds{5});
  EXPECT_FALSE(idle.receive());
  auto answer = busy.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "last words");
  EXPECT_EQ(answer->header("connection"), "close");
  EXPECT_THROW(http_client late(url()), std::runtime_error);
}

TEST_F(server_test, stop_does_not_wait_longer_than_it_may) {
  start();
  http_client busy(url());
  busy.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(wait_for_held(1));
  auto began = std::chrono::steady_clock::now();
  under_test->stop(std::chrono::milliseconds{200});
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{3});
  EXPECT_FALSE(busy.receive());
}

TEST_F(server_test, every_thread_takes_its_share) {
  config.threads = 2;
  start();
  std::set<unsigned> seen;
  std::vector<std::unique_ptr<http_client>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::make_unique<http_client>(url()));
    clients.back()->send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  ASSERT_TRUE(wait_for_held(64));
  std::lock_guard lock(mutex);
  for (auto& ex : held) seen.insert(ex.thread().index());
  EXPECT_EQ(seen.size(), 2u);
}

} // namespace poseidon::gateway
