#include "test/nodes/runtime/engine_proxy.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <cstring>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace poseidon::test {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using local = asio::local::stream_protocol;

namespace {

std::string spelled(const std::string& method, std::string target) {
  target = target.substr(0, target.find('?'));
  if (target.starts_with("/v")) target = target.substr(std::min(target.find('/', 1), target.size()));
  for (std::string kind : {"/containers/", "/networks/", "/volumes/"}) {
    if (!target.starts_with(kind)) continue;
    auto rest = target.substr(kind.size());
    if (rest != "json" && rest != "create") target = kind + "*" + rest.substr(std::min(rest.find('/'), rest.size()));
  }
  return method + " " + target;
}

} // namespace

engine_proxy::engine_proxy(std::string engine_socket) : engine_(std::move(engine_socket)) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  std::strncpy(where.sun_path, path().c_str(), sizeof where.sun_path - 1);
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0 ||
      ::listen(listener_, 256) != 0)
    throw std::runtime_error("the proxy can't listen at " + path());
  acceptor_ = std::thread([this] { accept(); });
}

engine_proxy::~engine_proxy() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    for (int descriptor : open_)
      ::shutdown(descriptor, SHUT_RDWR);
  }
  changed_.notify_all();
  acceptor_.join();
  for (auto& thread : threads_)
    thread.join();
  ::close(listener_);
}

void engine_proxy::accept() {
  for (;;) {
    int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    threads_.emplace_back([this, client] { serve(client); });
  }
}

/// One call a connection: the engine is told to close after its reply, which is handed on byte by byte.
void engine_proxy::serve(int descriptor) {
  asio::io_context io;
  local::socket client(io, local(), descriptor), engine(io, local());
  {
    std::lock_guard lock(mutex_);
    if (ending_) return;
    open_.insert({client.native_handle(), engine.native_handle()});
  }
  boost::system::error_code error;
  boost::beast::flat_buffer buffer;
  http::request_parser<http::string_body> parser;
  parser.body_limit(64u << 20);
  http::read(client, buffer, parser, error);
  if (!error) {
    auto& request = parser.get();
    wait_turn(spelled(std::string(request.method_string()), std::string(request.target())));
    engine.connect(local::endpoint(engine_), error);
    request.keep_alive(false);
    if (!error) http::write(engine, request, error);
    char piece[16384];
    while (!error) {
      auto got = engine.read_some(asio::buffer(piece), error);
      if (!error) asio::write(client, asio::buffer(piece, got), error);
    }
  }
  std::lock_guard lock(mutex_);
  open_.erase(client.native_handle());
  open_.erase(engine.native_handle());
}

void engine_proxy::wait_turn(const std::string& call) {
  std::unique_lock lock(mutex_);
  ++calls_[call];
  if (call != holding_) return;
  auto number = ++came_;
  waiting_.insert(number);
  changed_.notify_all();
  changed_.wait(lock, [&] { return ending_ || !waiting_.count(number); });
}

std::map<std::string, int> engine_proxy::calls() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

void engine_proxy::forget() {
  std::lock_guard lock(mutex_);
  calls_.clear();
}

void engine_proxy::hold(const std::string& call) {
  std::lock_guard lock(mutex_);
  holding_ = call;
}

bool engine_proxy::wait_held(std::size_t count, std::chrono::seconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return waiting_.size() >= count; });
}

void engine_proxy::let_one_go() {
  std::lock_guard lock(mutex_);
  if (!waiting_.empty()) waiting_.erase(waiting_.begin());
  changed_.notify_all();
}

void engine_proxy::let_go() {
  std::lock_guard lock(mutex_);
  holding_.clear();
  waiting_.clear();
  changed_.notify_all();
}

std::size_t engine_proxy::held() const {
  std::lock_guard lock(mutex_);
  return waiting_.size();
}

} // namespace poseidon::test
