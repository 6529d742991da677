#include "test/actors/log/nats_server.hpp"

#include "test/support/stopped_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

namespace poseidon::test {
namespace {

namespace fs = std::filesystem;

std::string server_program() {
  if (const char* given = std::getenv("POSEIDON_TEST_NATS_SERVER"); given && *given) return given;
  std::string path = std::getenv("PATH") ? std::getenv("PATH") : "";
  path += ":/usr/sbin:/usr/local/bin";
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find(':', at), path.size());
    const auto candidate = path.substr(at, end - at) + "/nats-server";
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    at = end + 1;
  }
  throw std::runtime_error("this test needs a nats-server: none in PATH and none in POSEIDON_TEST_NATS_SERVER (scripts/test installs it)");
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// Whether a server's greeting comes from there.
bool greets(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto to = loopback(port);
  bool greeted = false;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
    pollfd wanted{fd, POLLIN, 0};
    char byte = 0;
    greeted = ::poll(&wanted, 1, 1'000) == 1 && ::recv(fd, &byte, 1, 0) == 1;
  }
  ::close(fd);
  return greeted;
}

} // namespace

std::uint16_t free_port() {
  // Below the range that the kernel gives to outgoing connections: one of those, of a server that looks for another, can
  // take the very port that the other is about to listen on.
  std::uniform_int_distribution<int> any{20'000, 31'999};
  std::random_device source;
  for (;;) {
    const auto port = static_cast<std::uint16_t>(any(source));
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(port);
    const bool free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    if (free) return port;
  }
}

nats_server::nats_server(nats_server_options options) : options_(std::move(options)), port_(options_.port != 0 ? options_.port : free_port()) {
  if (options_.config.empty()) write_config();
  start();
}

void nats_server::write_config() const {
  std::ofstream out{folder_.file("server.conf")};
  out << "listen: 127.0.0.1:" << port_ << "\nserver_name: " << options_.name << "\njetstream { store_dir: \"" << store().string()
      << "\", max_memory_store: 64MB, max_file_store: 2GB }\n";
  if (options_.routes.empty()) return;
  out << "cluster {\n  name: test\n  listen: 127.0.0.1:" << options_.cluster_port << "\n  routes: [";
  for (const auto port : options_.routes) out << "\n    nats://127.0.0.1:" << port;
  out << "\n  ]\n}\n";
}

void nats_server::start() {
  if (runs()) return;
  const auto program = server_program(), config = options_.config.empty() ? folder_.file("server.conf") : options_.config, log = folder_.file("server.log");
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execl(program.c_str(), program.c_str(), "-c", config.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  await_answer();
}

void nats_server::await_answer() {
  for (int looks = 0; looks < 500; ++looks) {
    if (greets(port_)) return;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) break;
    ::poll(nullptr, 0, 20);
  }
  throw std::runtime_error("the nats-server did not start:\n" + written());
}

std::string nats_server::written() const {
  std::ifstream log{folder_.file("server.log")};
  return {std::istreambuf_iterator<char>{log}, {}};
}

void nats_server::kill() {
  if (!runs()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void nats_server::freeze() { stop_process(pid_); }
void nats_server::thaw() { ::kill(pid_, SIGCONT); }

void nats_server::wipe() { fs::remove_all(store()); }

void nats_server::copy_store() {
  fs::remove_all(folder_.path() / "copy");
  fs::copy(store(), folder_.path() / "copy", fs::copy_options::recursive);
}

void nats_server::restore_copy() {
  wipe();
  fs::copy(folder_.path() / "copy", store(), fs::copy_options::recursive);
}

void nats_cluster::make_three() {
  std::vector<std::uint16_t> ports{free_port(), free_port(), free_port()};
  for (std::size_t i = 0; i < ports.size(); ++i)
    servers.push_back(std::make_unique<nats_server>(nats_server_options{"n" + std::to_string(i + 1), ports, ports[i], {}, 0}));
}

std::vector<std::string> nats_cluster::urls() const {
  std::vector<std::string> all;
  for (const auto& server : servers) all.push_back(server->url());
  return all;
}

nats_server& nats_cluster::named(const std::string& name) {
  for (auto& server : servers)
    if (server->name() == name) return *server;
  throw std::runtime_error("no server is called " + name);
}

} // namespace poseidon::test
