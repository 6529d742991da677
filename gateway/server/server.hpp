#pragma once
// The HTTP/1.1 server: N threads with an io_context each; TCP listeners are shared by SO_REUSEPORT, a Unix socket is
// accepted on the first thread and dealt out. Beast and Asio stay behind this header.

#include "gateway/http.hpp"

#include <atomic>
#include <cstddef>

namespace poseidon::gateway {

/// Bounds of every connection.
struct server_limits {
  std::size_t header_bytes = 16 * 1024;     ///< beyond: 431
  std::size_t body_bytes = 1024 * 1024;     ///< beyond: 413
  std::chrono::milliseconds header_timeout{10'000}; ///< from a request's first byte to the end of its head: 408
  std::chrono::milliseconds body_timeout{30'000};   ///< from the head to the end of the body: 408
  std::chrono::milliseconds idle_timeout{60'000};   ///< between requests
  std::chrono::milliseconds write_timeout{30'000};  ///< of one answer, or one piece of a stream
  std::chrono::milliseconds linger_timeout{2'000};  ///< reading on after a refused request, so that the answer arrives
  std::size_t connections = 10'000;         ///< beyond: accepted and closed
};

struct server_config {
  std::vector<std::string> listen; ///< "127.0.0.1:8080", "[::1]:0", "unix:/run/poseidon/api.sock"
  unsigned threads = 1;
  unsigned unix_mode = 0660;
  server_limits limits;
};

/// Answers for what never becomes a request (errors of the parser): status and detail to a response.
using problem_maker = std::function<http_response(int status, std::string_view detail)>;

/// Where a listener ended up: "http://127.0.0.1:41234" or "unix:/path".
struct bound_address {
  std::string url;
  std::string host; ///< TCP only
  std::uint16_t port = 0;
};

class server {
public:
  server(server_config config, problem_maker problem);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Binds every listener; nothing is accepted yet. Throws std::runtime_error that names the address and the reason.
  std::vector<bound_address> bind();
  /// One loop a thread; valid from construction on, and kept alive by whoever holds it. Work posted after stop is dropped.
  std::shared_ptr<loop> thread(unsigned index) const;
  unsigned threads() const;
  /// Starts the threads; `services[i]` answers what thread i accepts.
  void run(std::vector<http_service> services);
  /// Connections open now, on all threads.
  std::size_t connections() const;
  /// Stops accepting, closes idle connections, lets answers finish for at most `grace`, then closes the rest and joins.
  void stop(std::chrono::milliseconds grace);

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace poseidon::gateway
