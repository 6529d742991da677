#include "test/nodes/runtime/engine_fixture.hpp"

#include "nodes/runtime/engine/probe_image.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <unistd.h>

namespace poseidon::test {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

/// Forks when the program is loaded: before any test has made a thread.
struct dialer_at_start {
  dialer_process process;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard{io.get_executor()};
  std::unique_ptr<dialer_client> client;
  std::thread thread;

  dialer_at_start() {
    auto started = start_dialer();
    if (!started) return;
    process = std::move(*started);
    client = std::make_unique<dialer_client>(io, std::move(process.socket));
    thread = std::thread([this] { io.run(); });
  }
  ~dialer_at_start() {
    if (!client) return;
    client->stop();
    guard.reset();
    thread.join();
    client.reset();
    reap_dialer(process.pid);
  }
};
dialer_at_start the_dialer;

std::string percent(const std::string& text) {
  std::string encoded;
  char piece[4];
  for (unsigned char c : text) {
    std::snprintf(piece, sizeof piece, "%%%02X", c);
    encoded += piece;
  }
  return encoded;
}

} // namespace

dialer_client& shared_dialer() {
  if (!the_dialer.client) throw std::runtime_error("no dialer could be started");
  return *the_dialer.client;
}

namespace_dial dial_inside() {
  return [](const endpoint& where, std::uint16_t port, millis timeout, answer<unique_fd> to) {
    shared_dialer().async_connect(where, port, timeout, std::move(to));
  };
}

signaller signal_inside() {
  return [](const endpoint& where, int signal, std::function<void(failure)> to) {
    shared_dialer().async_signal(where, signal, millis(1000), std::move(to));
  };
}

shim_ender end_shim() {
  return [](const endpoint& where, std::function<void(failure)> to) {
    shared_dialer().async_end_shim(where, millis(1000), std::move(to));
  };
}

std::string engine_address() {
  for (auto name : {"POSEIDON_TEST_ENGINE", "DOCKER_HOST"})
    if (auto* value = std::getenv(name); value && *value) return value;
  return "unix:///var/run/docker.sock";
}

std::string engine_socket() {
  auto address = engine_address();
  return address.starts_with("unix://") ? address.substr(7) : address;
}

std::string call_engine(const std::string& socket_path, const std::string& method, const std::string& path,
                        const std::string& body, unsigned* status, const std::string& content_type,
                        const std::string& registry_auth) {
  asio::io_context io;
  asio::local::stream_protocol::socket socket(io);
  socket.connect(asio::local::stream_protocol::endpoint(socket_path));
  http::request<http::string_body> request(http::string_to_verb(method), path, 11);
  request.set(http::field::host, "engine");
  request.set(http::field::content_type, content_type);
  if (!registry_auth.empty()) request.set("X-Registry-Auth", registry_auth);
  request.body() = body;
  request.prepare_payload();
  http::write(socket, request);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> response;
  response.body_limit(64u << 20);
  http::read(socket, buffer, response);
  if (status) *status = response.get().result_int();
  return response.get().body();
}

std::string engine_call(const std::string& method, const std::string& path, const std::string& body,
                        unsigned* status) try {
  return call_engine(engine_socket(), method, path, body, status);
} catch (const boost::system::system_error& error) {
  throw std::runtime_error("this test needs a Docker Engine at " + engine_address() + " (" + error.what() +
                           "): start one, or name it in POSEIDON_TEST_ENGINE");
}

void ensure_test_image(const std::string& socket_path) {
  unsigned status = 0;
  call_engine(socket_path, "GET", "/images/poseidon-test/busybox/json", {}, &status);
  if (status == 200) return;
  std::string busybox;
  for (auto path : {"/bin/busybox", "/usr/bin/busybox", "/usr/local/bin/busybox"}) {
    std::ifstream in(path, std::ios::binary);
    busybox.assign(std::istreambuf_iterator<char>(in), {});
    if (!busybox.empty()) break;
  }
  if (busybox.empty()) throw std::runtime_error("this test needs busybox, linked statically (package busybox-static)");
  std::vector<engine::tar_file> files;
  for (auto name : {"bin/sh", "bin/httpd", "bin/sleep", "bin/tail", "bin/cat", "bin/id"})
    files.push_back({name, busybox, 0755});
  files.push_back({"www/index.html", "<h1>hello</h1>", 0644});
  auto path = "/images/create?fromSrc=-&repo=poseidon-test/busybox&tag=latest&changes=" +
              percent(R"(CMD ["httpd","-f","-p","8000","-h","/www"])") + "&changes=" + percent("EXPOSE 8000");
  auto said = call_engine(socket_path, "POST", path, engine::make_tar(files), &status, "application/x-tar");
  if (status != 200) throw std::runtime_error("the test image can't be imported: " + said);
}

scratch_folder::scratch_folder() {
  std::string form = (std::filesystem::temp_directory_path() / "poseidon-test-XXXXXX").string();
  if (!::mkdtemp(form.data())) throw std::runtime_error("no folder for the test can be made");
  path_ = form;
}
scratch_folder::~scratch_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

test_cluster::test_cluster() {
  static std::once_flag image;
  std::call_once(image, [] {
    engine_call("GET", "/_ping"); // says what is missing when there is no engine
    ensure_test_image(engine_socket());
  });
  static std::atomic<int> count{0};
  name_ = "runtime-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

test_cluster::~test_cluster() {
  try {
    remove_all();
  } catch (const std::exception& error) {
    std::cerr << "clean-up of cluster " << name_ << ": " << error.what() << "\n";
  }
}

void test_cluster::remove_all() const {
  auto filter = percent(R"({"label":["poseidon.cluster=)" + name_ + R"("]})");
  auto each = [&](const std::string& path, const char* list, const char* id, const std::string& prefix,
                  const std::string& suffix) {
    auto all = nlohmann::json::parse(engine_call("GET", path + "filters=" + filter));
    if (list) all = all[list];
    if (all.is_array())
      for (auto& one : all)
        engine_call("DELETE", prefix + one[id].get<std::string>() + suffix);
  };
  each("/containers/json?all=1&", nullptr, "Id", "/containers/", "?force=1&v=1");
  each("/networks?", nullptr, "Id", "/networks/", "");
  each("/volumes?", "Volumes", "Name", "/volumes/", "");
}

docker_options test_cluster::options() const {
  docker_options options;
  options.engine = engine_address();
  options.cluster = name_;
  options.node = "test-node";
  options.data_folder = data_.path();
  options.dial = dial_inside();
  options.signal = signal_inside();
  options.end_shim = end_shim();
  return options;
}

std::size_t test_cluster::containers() const {
  auto filter = percent(R"({"label":["poseidon.cluster=)" + name_ + R"("]})");
  return nlohmann::json::parse(engine_call("GET", "/containers/json?all=1&filters=" + filter)).size();
}

std::shared_ptr<launch_plan> small_plan(const std::string& instance, std::uint64_t sequence) {
  auto spec = std::make_shared<instance_spec>();
  service_spec service;
  service.image = "poseidon-test/busybox";
  service.pull = pull_mode::never;
  service.command = {"httpd", "-f", "-p", "8000", "-h", "/www"};
  service.limits.memory_bytes = 64ull << 20;
  service.limits.pids = 64;
  service.ports = {{8000, port_protocol::http, "web"}};
  spec->services.push_back(service);
  auto plan = std::make_shared<launch_plan>();
  plan->key.instance.value = instance;
  plan->key.epoch.incarnation = 1;
  plan->key.epoch.sequence = sequence;
  plan->key.epoch.entry = {7, sequence};
  plan->spec = spec;
  plan->owner = "user:alice";
  plan->challenge = "hello";
  plan->slot = "user:alice/hello";
  plan->host = instance + ".localhost";
  plan->url = "http://" + instance + ".localhost:8081/";
  plan->user = "alice";
  plan->created_at = wall_time{1'700'000'000'000};
  plan->expires_max = wall_time{1'700'007'200'000};
  return plan;
}

instance_spec& spec_of(launch_plan& plan) {
  auto changed = std::make_shared<instance_spec>(*plan.spec);
  plan.spec = changed;
  return *changed;
}

} // namespace poseidon::test
