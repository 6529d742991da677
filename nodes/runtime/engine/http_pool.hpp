#pragma once
// HTTP/1.1 over a Unix socket: a pool of keep-alive connections on one io thread. Knows nothing of engines.

#include "nodes/runtime/engine/async.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace poseidon::engine {

struct http_request {
  std::string method = "GET", target, body, content_type = "application/json";
  std::string registry_auth; ///< X-Registry-Auth; empty: none
};

/// How a call without a reply ended.
enum class http_fault {
  none,        ///< there is a reply
  unreachable, ///< nothing was sent
  broken,      ///< sent, perhaps only in part; whether it was carried out is unknown
  timed_out,   ///< as `broken`, by the deadline
};

struct http_reply {
  http_fault fault = http_fault::none;
  unsigned status = 0;
  std::string body;                                         ///< of a stream: only of an error status
  std::vector<std::pair<std::string, std::string>> headers; ///< as received
  std::string detail;                                       ///< of a fault, in words
  /// Value of a header, whichever its case; empty when missing.
  std::string header(std::string_view name) const;
};

/// Lets somebody else end a stream early, and say how much of it is read.
class stream_control {
public:
  static constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
  void cancel() {
    cancelled = true;
    if (close) close();
    changed.notify_all();
  }
  void more(std::uint64_t bytes) {
    if (credit != unlimited) credit += std::min(bytes, unlimited - 1 - credit);
    changed.notify_all();
  }
  /// So much has been handed over.
  void spend(std::uint64_t bytes) {
    if (credit != unlimited) credit -= std::min(bytes, credit);
  }
  bool cancelled = false;
  std::uint64_t credit = unlimited; ///< bytes that may be read at once; at 0 the connection is left alone
  std::function<void()> started;    ///< called when a 2xx head has come; may be empty
  std::function<void()> close;      ///< set while the stream is open
  wait_list changed;                ///< cancelled, or more credit
};

class http_pool : public std::enable_shared_from_this<http_pool> {
public:
  /// At most `connections` at once, streams not counted; further calls queue until their deadline.
  http_pool(asio::io_context& io, std::string socket_path, std::size_t connections);
  ~http_pool();

  /// One request, one reply, within the deadline. A reply's body may have 64 MiB.
  task<http_reply> call(http_request request, steady_time deadline);

  /// Hands the body of a 2xx reply to `sink` piece by piece, on a connection of its own. `deadline` ends it
  /// (time_point::max: never), and so does `quiet` without a byte (0: never), `control->cancel()`, and a sink that
  /// returns false. No more is read at once than the control has credit for; who takes it spends it.
  task<http_reply> stream(http_request request, steady_time deadline, std::chrono::milliseconds quiet,
                          std::shared_ptr<stream_control> control, std::function<bool(std::string_view)> sink);

  /// Closes every idle connection: the engine went away.
  void drop_idle();

private:
  struct connection;
  task<std::unique_ptr<connection>> open(steady_time deadline, http_reply& reply);
  task<bool> exchange(connection& link, http_request& request, steady_time deadline, http_reply& reply);
  std::unique_ptr<connection> take_idle();

  asio::io_context& io_;
  std::string path_;
  limiter limit_;
  std::vector<std::unique_ptr<connection>> idle_;
};

} // namespace poseidon::engine
