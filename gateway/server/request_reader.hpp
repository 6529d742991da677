#pragma once
// Bytes to requests. Beast's parser is behind it, in one translation unit.

#include "gateway/server/server.hpp"

#include <memory>
#include <utility>

namespace poseidon::gateway {

class request_reader {
public:
  /// What the input so far amounts to.
  enum class step : std::uint8_t {
    more, ///< not a whole request yet
    done, ///< take() it
    bad,  ///< refuse with status() and detail(), then read no more of this connection
  };

  explicit request_reader(const server_limits& limits);
  ~request_reader();

  /// Where the next bytes go; `wrote` says how many came. The room stays valid until the next call of either.
  std::pair<void*, std::size_t> room();
  void wrote(std::size_t bytes);
  /// Bytes that belong to no finished request yet.
  bool has_input() const;
  void drop_input();

  /// Forgets the request before, not what was pipelined behind it.
  void begin();
  step read();
  /// The head is there: what remains is its body.
  bool head_done() const;
  /// The client waits for "100 Continue"; true once a request.
  bool wants_continue();
  /// The request; its views stay valid until begin().
  void take(http_request& request);
  bool keep_alive() const;
  bool is_http_1_1() const;

  int status() const { return status_; }
  const std::string& detail() const { return detail_; }

private:
  struct state;
  std::unique_ptr<state> state_;
  int status_ = 0;
  std::string detail_;
};

} // namespace poseidon::gateway
