// 100,000 live instances on ten nodes, and on one: starts a second, memory, and what a read of the API takes beside them.

#include "bench/bench.hpp"
#include "bench/http_reads.hpp"
#include "bench/simulated_users.hpp"

#include "gateway/gateway.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

namespace poseidon::bench {
namespace {

constexpr std::size_t live = 100'000, together = 128, reads = 2'000;
constexpr const char* token = "psk_bench_0123456789abcdef";

struct figures {
  double starts_a_second = 0, starts_a_core = 0, bytes = 0;
  double get_p50_ms = 0, get_p99_ms = 0, list_p50_ms = 0, list_p99_ms = 0;
};

/// Sorted.
std::vector<double> time_reads(std::uint16_t port, const std::vector<std::string>& paths) {
  std::vector<double> ms;
  const int socket = connect_to(port);
  std::string answer;
  for (auto& path : paths) {
    const auto request = get_request(path, token);
    const auto from = now_seconds();
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("cannot send");
    read_answer(socket, answer);
    ms.push_back((now_seconds() - from) * 1000);
  }
  ::close(socket);
  std::sort(ms.begin(), ms.end());
  return ms;
}

void read_beside(simulated_world& w, figures& out) {
  w.node->append(*gateway::key_from_token(secret{token}, {"read"}, "", {0}));
  gateway::gateway_config config;
  config.server.listen = {"127.0.0.1:0"};
  config.watch_key = secret{"bench"};
  gateway::gateway_deps deps;
  deps.system = &w.node->system();
  deps.ledger = w.node->ledger;
  deps.scheduler = w.node->scheduler;
  deps.clock = w.node->time();
  deps.random = std::shared_ptr<random_source>(&system_random(), [](auto*) {});
  gateway::gateway api(std::move(config), std::move(deps));
  const auto port = api.start().front().port;
  wait_until([&] { return api.model().loaded(); }, "the gateway has its view");
  std::string first;
  const int socket = connect_to(port);
  const auto request = get_request("/v1/instances?limit=100", token);
  if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("cannot send");
  read_answer(socket, first);
  ::close(socket);
  const auto at = first.find("\"id\":\"");
  if (at == std::string::npos) throw std::runtime_error("the list is empty");
  const auto id = first.substr(at + 6, first.find('"', at + 6) - at - 6);
  const auto gets = time_reads(port, std::vector<std::string>(reads, "/v1/instances/" + id));
  std::vector<std::string> lists;
  for (std::size_t i = 0; i < reads / 4; ++i) lists.push_back(i % 2 == 0 ? "/v1/instances?limit=100" : "/v1/instances?limit=100&user=player-" + std::to_string(i));
  const auto listed = time_reads(port, lists);
  out.get_p50_ms = gets[gets.size() / 2], out.get_p99_ms = gets[gets.size() * 99 / 100];
  out.list_p50_ms = listed[listed.size() / 2], out.list_p99_ms = listed[listed.size() * 99 / 100];
  api.stop();
}

figures measure(std::size_t nodes) {
  figures out;
  simulated_world w(nodes);
  run_users(w, 500, together, true);
  const auto heap = heap_bytes();
  const auto cpu = process_cpu_seconds(), wall = now_seconds();
  run_users(w, live, together, false, 600);
  out.starts_a_core = live / (process_cpu_seconds() - cpu);
  out.starts_a_second = live / (now_seconds() - wall);
  out.bytes = static_cast<double>(heap_bytes() - heap) / live;
  read_beside(w, out);
  return out;
}

std::vector<row> run() {
  const auto one = measure(1), ten = measure(10);
  const auto named = [](const char* what) { return std::string("cluster: 100,000 on 10 nodes, ") + what; };
  return {{named("starts, one core"), ten.starts_a_core, "1/s", one.starts_a_core, {}, false},
          {named("starts, by the clock"), ten.starts_a_second, "1/s", one.starts_a_second, {}, false},
          {named("heap of replica, nodes and engine, an instance"), ten.bytes, "B", one.bytes},
          {named("one by id, p50"), ten.get_p50_ms, "ms", one.get_p50_ms},
          {named("one by id, p99"), ten.get_p99_ms, "ms", one.get_p99_ms},
          {named("a page of 100, p50"), ten.list_p50_ms, "ms", one.list_p50_ms},
          {named("a page of 100, p99"), ten.list_p99_ms, "ms", one.list_p99_ms}};
}

const part cluster_part{"cluster", run};

} // namespace
} // namespace poseidon::bench
