#pragma once
// A tiny HTTP server in this process: answers what a test tells it to, and remembers what it was asked.

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace poseidon::cli {

/// A request as it came: method, target, header lines, body.
struct asked {
  std::string method, target, head, body;
};

/// Answers one request with the whole text of a reply, head included.
using answer = std::function<std::string(const asked&)>;

/// A reply with a JSON body.
std::string json_reply(int status, const std::string& body);
/// A reply without a length, that ends with the connection: streams.
std::string stream_reply(const std::string& type, const std::string& body);

/// Serves one connection after the other until it is destroyed; one request each.
class fake_server {
public:
  /// On a free port of 127.0.0.1, or on a Unix socket when `socket` is a path.
  explicit fake_server(answer how, const std::string& socket = {});
  ~fake_server();
  fake_server(const fake_server&) = delete;
  fake_server& operator=(const fake_server&) = delete;

  /// For POSEIDON_ADDR.
  const std::string& address() const { return address_; }
  /// Everything that was asked so far.
  std::vector<asked> requests() const;

private:
  void serve();
  void answer_one(int connection);
  answer how_;
  std::string address_, socket_;
  int listener_ = -1;
  std::atomic<bool> ending_ = false;
  mutable std::mutex guard_;
  std::vector<asked> requests_;
  std::thread thread_;
};

} // namespace poseidon::cli
