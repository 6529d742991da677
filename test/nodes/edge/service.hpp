#pragma once
// The service inside the stand-in instances: its answer depends on the path. And a client that speaks bytes.

#include "test/support/namespace_process.hpp"

#include <poll.h>

#include <chrono>
#include <random>

namespace poseidon::test {

/// Bytes that follow from a seed, for bodies that must arrive unharmed.
inline std::string random_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  std::string text(size + 8, '\0');
  for (std::size_t at = 0; at < size; at += 8) {
    const auto word = random();
    std::memcpy(text.data() + at, &word, 8);
  }
  text.resize(size);
  return text;
}

inline std::string http_reply(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

inline std::string read_exactly(int fd, std::size_t size) {
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const auto got = ::recv(fd, text.data() + have, size - have, 0);
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

inline std::size_t number_after(std::string_view text, std::string_view mark) {
  const auto at = text.find(mark);
  return at == std::string_view::npos ? 0 : std::strtoull(std::string{text.substr(at + mark.size(), 20)}.c_str(), nullptr, 10);
}

inline void abort_connection(int fd) {
  const linger at_once{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/// Serves one connection of the instance called `name`.
inline void serve(const std::string& name, int fd) {
  for (;;) {
    const auto head = read_until(fd, "\r\n\r\n");
    if (!head.ends_with("\r\n\r\n")) return;
    const auto path = head.substr(head.find(' ') + 1, head.find(' ', head.find(' ') + 1) - head.find(' ') - 1);
    if (path == "/raw") { // the very bytes
      write_all(fd, http_reply(head));
    } else if (path.starts_with("/download/")) {
      write_all(fd, http_reply(random_bytes(number_after(path, "/download/"), 7)));
    } else if (path == "/upload") {
      const auto body = read_exactly(fd, number_after(head, "Content-Length: "));
      write_all(fd, http_reply(body == random_bytes(body.size(), 11) ? "same " + std::to_string(body.size()) : "differs"));
    } else if (path == "/echo" || path == "/upgrade") { // until the client's end, then a last word
      if (path == "/upgrade") write_all(fd, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
      char buffer[65536];
      for (;;) {
        const auto got = ::recv(fd, buffer, sizeof buffer, 0);
        if (got <= 0) break;
        write_all(fd, {buffer, static_cast<std::size_t>(got)});
      }
      write_all(fd, "the end");
      return;
    } else if (path == "/stream") { // something each millisecond, for ever
      for (;;) {
        if (!write_all(fd, "x")) return;
        pollfd nothing{-1, 0, 0};
        ::poll(&nothing, 1, 1);
      }
    } else if (path == "/early") { // answers without reading the body
      write_all(fd, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmuch");
      return;
    } else if (path == "/abort") {
      write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart");
      abort_connection(fd);
      return;
    } else if (path == "/close") {
      write_all(fd, "HTTP/1.0 200 OK\r\n\r\n" + name);
      return;
    } else if (path == "/silent") {
      read_until(fd, "");
      return;
    } else {
      write_all(fd, http_reply(name));
    }
  }
}

/// A client's connection to 127.0.0.1:port; blocking, with a limit of ten seconds on each read.
class raw_client {
public:
  explicit raw_client(std::uint16_t port, const char* from = "127.0.0.1") {
    fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    timeval limit{10, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, from, &address.sin_addr);
    ::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    address.sin_port = htons(port);
    if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error("connect");
  }
  bool send(std::string_view text) { return write_all(fd_.get(), text); }
  void end_sending() { ::shutdown(fd_.get(), SHUT_WR); }
  std::string read_all() { return read_until(fd_.get(), ""); }
  std::string read(std::size_t size) { return read_exactly(fd_.get(), size); }
  /// One reply that has a Content-Length: its head and body.
  std::string read_reply() {
    auto head = read_until(fd_.get(), "\r\n\r\n");
    return head + read_exactly(fd_.get(), number_after(head, "Content-Length: "));
  }
  /// Reads one byte; the error of the read, 0 at the end of the stream, -1 for a byte.
  int read_end() {
    char byte;
    const auto got = ::recv(fd_.get(), &byte, 1, 0);
    return got > 0 ? -1 : got == 0 ? 0 : errno;
  }
  int fd() const { return fd_.get(); }

private:
  unique_fd fd_;
};

inline std::string get(std::string_view host, std::string_view path = "/", std::string_view more = "") {
  return "GET " + std::string{path} + " HTTP/1.1\r\nHost: " + std::string{host} + "\r\n" + std::string{more} + "\r\n";
}

inline std::string body_of(const std::string& reply) {
  const auto end = reply.find("\r\n\r\n");
  return end == std::string::npos ? "" : reply.substr(end + 4);
}

inline int status_of(const std::string& reply) {
  return reply.size() > 12 && reply.starts_with("HTTP/1.") ? std::atoi(reply.c_str() + 9) : 0;
}

} // namespace poseidon::test
