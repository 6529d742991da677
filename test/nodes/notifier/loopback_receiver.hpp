#pragma once
// A receiver on loopback, with or without TLS, that answers each connection with the bytes it was told to.

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace poseidon::test {

/// A certificate that signs itself, and its key; PEM. For `host` (a name, or 127.0.0.1).
struct test_certificate {
  std::string certificate, key;
};
test_certificate make_certificate(const std::string& host);

class loopback_receiver {
public:
  /// `reply` holds the whole answer; empty: the connection is held open and nothing is said.
  explicit loopback_receiver(std::string reply, std::optional<test_certificate> tls = std::nullopt);
  ~loopback_receiver();
  loopback_receiver(const loopback_receiver&) = delete;
  loopback_receiver& operator=(const loopback_receiver&) = delete;

  std::string url(const std::string& path = "/hook") const;
  /// Requests as they came, head and body.
  std::vector<std::string> requests() const;

private:
  void run();
  template <class Stream>
  void serve(Stream& stream);

  std::string reply_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::optional<boost::asio::ssl::context> tls_;
  std::vector<boost::asio::ip::tcp::socket> held_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::uint16_t port_ = 0;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

} // namespace poseidon::test
