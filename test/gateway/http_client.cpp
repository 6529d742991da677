#include "test/gateway/http_client.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace poseidon::test {

namespace {

constexpr int read_limit_s = 10;

std::runtime_error system_failure(const std::string& what) { return std::runtime_error(what + ": " + std::strerror(errno)); }

int connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  int s = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(s, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throw system_failure("connect " + path);
  return s;
}

int connect_tcp(const std::string& host, std::uint16_t port) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  bool is_v4 = ::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1;
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (!is_v4 && ::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) throw std::runtime_error("no address: " + host);
  int s = ::socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto* address = is_v4 ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6);
  if (::connect(s, address, is_v4 ? sizeof v4 : sizeof v6) != 0) throw system_failure("connect " + host);
  return s;
}

} // namespace

http_client::http_client(const std::string& url) {
  if (url.starts_with("unix:")) {
    socket_ = connect_unix(url.substr(5));
  } else {
    auto rest = url.substr(url.find("://") + 3);
    auto colon = rest.rfind(':');
    auto host = rest.substr(0, colon);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    socket_ = connect_tcp(host, static_cast<std::uint16_t>(std::stoi(rest.substr(colon + 1))));
  }
  timeval limit{read_limit_s, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

http_client::~http_client() { ::close(socket_); }

void http_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) throw system_failure("send");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool http_client::fill() {
  char bytes[65536];
  auto n = ::recv(socket_, bytes, sizeof bytes, 0);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) throw std::runtime_error("the server said nothing in time");
  if (n <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(n));
  return true;
}

std::optional<std::string> http_client::line() {
  for (;;) {
    if (auto end = buffer_.find("\r\n"); end != std::string::npos) {
      auto text = buffer_.substr(0, end);
      buffer_.erase(0, end + 2);
      return text;
    }
    if (!fill()) return std::nullopt;
  }
}

std::optional<std::string> http_client::take(std::size_t size) {
  while (buffer_.size() < size)
    if (!fill()) return std::nullopt;
  auto text = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return text;
}

std::optional<http_answer> http_client::receive_head() {
  auto first = line();
  if (!first) return std::nullopt;
  http_answer answer;
  if (!first->starts_with("HTTP/1.1 ")) throw std::runtime_error("not a status line: " + *first);
  answer.status = std::stoi(first->substr(9));
  for (;;) {
    auto text = line();
    if (!text) throw std::runtime_error("the head was cut off");
    if (text->empty()) return answer;
    auto colon = text->find(": ");
    if (colon == std::string::npos) throw std::runtime_error("not a header: " + *text);
    auto name = text->substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    answer.headers[name] = text->substr(colon + 2);
  }
}

std::optional<http_answer> http_client::receive(bool bodiless) {
  auto answer = receive_head();
  if (!answer || bodiless || answer->status == 204 || answer->status < 200) return answer;
  if (answer->header("transfer-encoding") == "chunked") {
    while (auto chunk = receive_chunk()) answer->body += *chunk;
  } else if (answer->has("content-length")) {
    auto body = take(static_cast<std::size_t>(std::stoull(answer->header("content-length"))));
    if (!body) throw std::runtime_error("the body was cut off");
    answer->body = *body;
  } else {
    while (fill()) {}
    answer->body = std::exchange(buffer_, {});
  }
  return answer;
}

std::optional<std::string> http_client::receive_chunk() {
  auto size_line = line();
  if (!size_line) throw std::runtime_error("the stream was cut off");
  auto size = std::stoull(*size_line, nullptr, 16);
  auto chunk = take(size);
  if (!chunk || line() != "") throw std::runtime_error("a chunk was cut off");
  return size == 0 ? std::nullopt : chunk;
}

std::optional<std::string> http_client::receive_event() {
  for (;;) {
    if (auto end = events_.find("\n\n"); end != std::string::npos) {
      auto text = events_.substr(0, end);
      events_.erase(0, end + 2);
      return text;
    }
    auto chunk = receive_chunk();
    if (!chunk) return std::nullopt;
    events_ += *chunk;
  }
}

bool http_client::closed_by_server() {
  while (fill()) {}
  return true;
}

void http_client::shut_down_sending() { ::shutdown(socket_, SHUT_WR); }

std::optional<http_answer> http_client::request(const std::string& method, const std::string& target, const std::string& body,
                                                const std::vector<std::pair<std::string, std::string>>& headers) {
  auto text = method + " " + target + " HTTP/1.1\r\nHost: test\r\n";
  for (auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  if (!body.empty()) text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  send(text + "\r\n" + body);
  return receive(method == "HEAD");
}

} // namespace poseidon::test
