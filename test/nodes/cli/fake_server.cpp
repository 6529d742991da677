#include "test/nodes/cli/fake_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace poseidon::cli {
namespace {

std::size_t length_of(const std::string& head) {
  auto at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
}

} // namespace

std::string json_reply(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string stream_reply(const std::string& type, const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nConnection: close\r\n\r\n" + body;
}

fake_server::fake_server(answer how, const std::string& socket) : how_(std::move(how)), socket_(socket) {
  if (socket.empty()) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
      throw std::runtime_error("the fake server found no port");
    address_ = "http://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  } else {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    socket.copy(at.sun_path, sizeof at.sun_path - 1);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0)
      throw std::runtime_error("the fake server can't bind " + socket);
    address_ = "unix:" + socket;
  }
  if (::listen(listener_, 16) != 0) throw std::runtime_error("the fake server can't listen");
  thread_ = std::thread([this] { serve(); });
}

fake_server::~fake_server() {
  ending_ = true;
  ::shutdown(listener_, SHUT_RDWR); // wakes accept
  thread_.join();
  ::close(listener_);
  if (!socket_.empty()) ::unlink(socket_.c_str());
}

std::vector<asked> fake_server::requests() const {
  std::lock_guard lock(guard_);
  return requests_;
}

void fake_server::serve() {
  while (!ending_) {
    int connection = ::accept(listener_, nullptr, nullptr);
    if (connection < 0) continue;
    answer_one(connection);
    ::close(connection);
  }
}

void fake_server::answer_one(int connection) {
  std::string text;
  char piece[4096];
  auto end = std::string::npos;
  while ((end = text.find("\r\n\r\n")) == std::string::npos ||
         text.size() < end + 4 + length_of(text.substr(0, end + 2))) {
    auto n = ::recv(connection, piece, sizeof piece, 0);
    if (n <= 0) return;
    text.append(piece, static_cast<std::size_t>(n));
  }
  asked request;
  auto blank = text.find(' ');
  request.method = text.substr(0, blank);
  request.target = text.substr(blank + 1, text.find(' ', blank + 1) - blank - 1);
  request.head = text.substr(0, end + 2);
  request.body = text.substr(end + 4);
  {
    std::lock_guard lock(guard_);
    requests_.push_back(request);
  }
  auto reply = how_(request);
  for (std::size_t sent = 0; sent < reply.size();) {
    auto n = ::send(connection, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    sent += static_cast<std::size_t>(n);
  }
}

} // namespace poseidon::cli
