// Reads of the API with a key, over loopback sockets: instances by id, from a view of 10,000.

#include "bench/bench.hpp"
#include "bench/http_reads.hpp"

#include "gateway/gateway.hpp"

#include <array>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace poseidon::bench {

namespace {

constexpr int instances = 10'000, connections = 32, rounds = 1'500;
constexpr const char* token = "psk_bench_0123456789abcdef";

class real_clock final : public clock {
public:
  boot_time boot_now() const override { return {static_cast<std::int64_t>(now_seconds() * 1000)}; }
  wall_time wall_now() const override { return {1'800'000'000'000 + boot_now().ms}; }
};

row_ptr make_row(int i, const spec_ptr& spec, const source_ptr& source) {
  auto row = std::make_shared<instance_row>();
  row->id = {"instance" + std::to_string(i)};
  row->owner.user = "user" + std::to_string(i);
  row->key = key_of(row->owner);
  row->challenge = {"hello"};
  row->source = source;
  row->spec = spec;
  row->host = "0123456789abcdef0123.localhost";
  row->metadata = R"({"round":1})";
  row->phase = ledger_phase::running;
  row->node = {"n1"};
  row->epoch = {1, static_cast<std::uint64_t>(i) + 1, {}};
  row->created = row->changed = {1, static_cast<std::uint64_t>(i) + 1};
  row->running_at = row->created_at = {1'800'000'000'000};
  row->expires_at = {1'900'000'000'000};
  row->ports = spec->services.front().ports;
  return row;
}

ledger_image_ptr make_image() {
  auto image = std::make_shared<ledger_image>();
  instance_spec spec;
  spec.services.emplace_back();
  spec.services.front().ports = {{8000, port_protocol::http, "web"}};
  auto shared = std::make_shared<const instance_spec>(spec);
  auto source = std::make_shared<const spec_source>();
  for (int i = 0; i < instances; ++i) image->instances.push_back(make_row(i, shared, source));
  image->at = {1, static_cast<std::uint64_t>(instances) + 1};
  image->admin.keys.push_back(*gateway::key_from_token(secret{token}, {"read"}, "", {0}));
  return image;
}

ledger_actor::behavior_type image_ledger(ledger_actor::pointer, ledger_image_ptr image) {
  return {
      [](const append_entry&) { return outcome<folded>{failure{errc::ledger_unavailable, "only an image", {}, {}, {}}}; },
      [image](const subscribe_ledger&) { return image; },
      [image](const get_image&) { return image; },
      [](const get_instance&) { return row_ptr{}; },
      [](const find_live&) { return row_ptr{}; },
      [](const get_ledger_status&) { return ledger_status{}; },
  };
}

/// What a server costs that only takes requests and sends the same bytes back: the floor under every figure here.
class bare_server {
public:
  bare_server() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, connections) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("cannot listen on loopback");
    port = ntohs(address.sin_port);
  }
  ~bare_server() { ::close(listener_); }
  bare_server(const bare_server&) = delete;
  bare_server& operator=(const bare_server&) = delete;

  /// Serves until every connection of one client is closed. Returns the CPU time of its own thread, in seconds.
  double serve(const std::string& answer) {
    const auto from = thread_cpu_seconds();
    const int poll = ::epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < connections; ++i) {
      epoll_event wanted{EPOLLIN, {}};
      wanted.data.fd = ::accept(listener_, nullptr, nullptr);
      ::epoll_ctl(poll, EPOLL_CTL_ADD, wanted.data.fd, &wanted);
    }
    char bytes[8192];
    std::array<epoll_event, connections> ready;
    for (int open = connections; open > 0;) {
      const int n = ::epoll_wait(poll, ready.data(), connections, -1);
      for (int i = 0; i < n; ++i) {
        const int s = ready[static_cast<std::size_t>(i)].data.fd;
        if (::recv(s, bytes, sizeof bytes, 0) <= 0) {
          ::close(s);
          --open;
        } else {
          [[maybe_unused]] auto sent = ::send(s, answer.data(), answer.size(), MSG_NOSIGNAL);
        }
      }
    }
    ::close(poll);
    return thread_cpu_seconds() - from;
  }

  std::uint16_t port = 0;

private:
  int listener_;
};

struct measured {
  double seconds = 0, client_cpu = 0;
};

/// Each connection has one request under way at a time. The last answer stays in `buffer`.
measured read_many(std::uint16_t port, int count, std::string& buffer) {
  std::vector<int> sockets;
  for (int i = 0; i < connections; ++i) sockets.push_back(connect_to(port));
  auto cpu = thread_cpu_seconds(), began = now_seconds();
  for (int r = 0; r < count; ++r) {
    for (int i = 0; i < connections; ++i) {
      auto request = get_request("/v1/instances/instance" + std::to_string((r * connections + i) % instances), token);
      if (::send(sockets[static_cast<std::size_t>(i)], request.data(), request.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("cannot send");
    }
    for (int s : sockets) read_answer(s, buffer);
  }
  measured result{now_seconds() - began, thread_cpu_seconds() - cpu};
  for (int s : sockets) ::close(s);
  return result;
}

double bare_cpu_seconds(const std::string& answer) {
  bare_server server;
  double cpu = 0;
  std::thread serving([&] { cpu = server.serve(answer); });
  std::string buffer;
  read_many(server.port, rounds, buffer);
  serving.join();
  return cpu;
}

std::vector<row> run() {
  caf::actor_system_config system_config;
  caf::actor_system system{system_config};
  gateway::gateway_config config;
  config.server.listen = {"127.0.0.1:0"};
  config.watch_key = secret{"bench"};
  gateway::gateway_deps deps;
  deps.system = &system;
  auto before = heap_bytes();
  auto image = make_image();
  auto rows_bytes = heap_bytes() - before;
  deps.ledger = system.spawn(image_ledger, image);
  deps.clock = std::make_shared<real_clock>();
  deps.random = std::shared_ptr<random_source>(&system_random(), [](auto*) {});
  before = heap_bytes();
  gateway::gateway api(std::move(config), std::move(deps));
  auto port = api.start().front().port;
  while (!api.model().loaded()) std::this_thread::yield();
  auto view_bytes = heap_bytes() - before;
  std::string answer;
  read_many(port, rounds / 10, answer);
  auto cpu = process_cpu_seconds();
  auto result = read_many(port, rounds, answer);
  auto server_cpu = process_cpu_seconds() - cpu - result.client_cpu;
  constexpr double requests = static_cast<double>(connections) * rounds;
  api.stop();
  const double a_core = requests / server_cpu, bare = requests / bare_cpu_seconds(answer);
  return {
      {"api-reads: by id, with a key, a core", a_core, "requests/s", {}, 20'000, false},
      {"api-reads: the same, against a bare loop", a_core, "requests/s", bare, {}, false},
      {"api-reads: with the client on the same machine", requests / result.seconds, "requests/s", {}, {}, false},
      {"api-reads: view beside its row, an instance", static_cast<double>(view_bytes) / instances, "B", {}, 1024},
      {"api-reads: row itself, an instance", static_cast<double>(rows_bytes) / instances, "B"},
  };
}

const part api_reads{"api-reads", run};

} // namespace

} // namespace poseidon::bench
