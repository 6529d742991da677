#pragma once
// What a handler sees of HTTP: small types without Beast. A request lives on its gateway thread until it is answered.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace poseidon::gateway {

enum class http_method : std::uint8_t { get, head, post, put, delete_, options, patch, other };
/// Upper-case spelling, as in Allow.
std::string_view to_string(http_method method);
http_method method_from_string(std::string_view text);

/// Who is at the other end of the connection.
struct peer_info {
  bool unix_socket = false;
  std::uint32_t uid = 0; ///< unix sockets only (SO_PEERCRED)
  std::string address;   ///< text form of a TCP peer
};

/// Decodes %XX (and + when `plus_is_space`); nothing when malformed.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
/// Encodes everything but unreserved characters.
std::string percent_encode(std::string_view text);

/// One request. The views stay valid until it is answered; what is kept longer must be copied.
struct http_request {
  http_method method = http_method::get;
  std::string_view path;  ///< still encoded, without the query
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::vector<std::pair<std::string, std::string>> query; ///< decoded, in order
  bool query_malformed = false;
  std::string body;
  const peer_info* peer = nullptr;

  /// First header of that name (any case), or an empty view.
  std::string_view header(std::string_view name) const;
  /// First query parameter of that name.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

/// Splits a request target into path and decoded query.
void parse_target(std::string_view target, http_request& request);

struct http_response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool close = false; ///< end the connection after it
};

/// "HTTP/1.1 200 OK\r\n...\r\n\r\n" with Content-Length, or Transfer-Encoding where `chunked`.
struct head_options {
  bool keep_alive = true, chunked = false, without_length = false;
};
std::string render_head(const http_response& response, head_options options);

/// Runs work on one gateway thread. `post` may be called from anywhere; the rest from that thread only.
class loop {
public:
  using timer_id = std::uint64_t;
  virtual ~loop() = default;
  virtual void post(std::function<void()> work) = 0;
  /// Runs `work` once after `delay`, unless cancelled.
  virtual timer_id after(std::chrono::milliseconds delay, std::function<void()> work) = 0;
  virtual void cancel(timer_id timer) = 0;
  /// For measuring spans.
  virtual std::chrono::steady_clock::time_point now() const = 0;
  virtual unsigned index() const = 0;
};

/// The connection under an exchange (gateway/server/). `serial` names the request: calls for an earlier one are ignored.
class connection {
public:
  virtual ~connection() = default;
  virtual const http_request& current() const = 0;
  virtual bool open(std::uint64_t serial) const = 0;
  virtual void respond(std::uint64_t serial, http_response response) = 0;
  virtual void begin_stream(std::uint64_t serial, http_response head, std::function<void()> drained) = 0;
  virtual bool write(std::uint64_t serial, std::shared_ptr<const std::string> piece) = 0;
  virtual void end(std::uint64_t serial) = 0;
  virtual void on_closed(std::uint64_t serial, std::function<void()> closed) = 0;
  virtual loop& thread() = 0;
};

/// One request waiting for its answer: a copyable handle for its thread. Answered exactly once; later answers are ignored.
class exchange {
public:
  exchange(std::shared_ptr<connection> c, std::uint64_t serial) : connection_(std::move(c)), serial_(serial) {}
  const http_request& request() const { return connection_->current(); }
  /// False once answered, or when the client is gone.
  bool open() const { return connection_->open(serial_); }
  void respond(http_response response) const { connection_->respond(serial_, std::move(response)); }
  /// Answers with a body of unknown length. `drained` runs whenever a piece has left; one piece at a time.
  void begin_stream(http_response head, std::function<void()> drained) const {
    connection_->begin_stream(serial_, std::move(head), std::move(drained));
  }
  /// False while the piece before it is still on its way (then nothing was taken).
  bool write(std::shared_ptr<const std::string> piece) const { return connection_->write(serial_, std::move(piece)); }
  void end() const { connection_->end(serial_); }
  /// Runs when the client goes away or the gateway drains, while unanswered or streaming.
  void on_closed(std::function<void()> closed) const { connection_->on_closed(serial_, std::move(closed)); }
  loop& thread() const { return connection_->thread(); }

private:
  std::shared_ptr<connection> connection_;
  std::uint64_t serial_;
};

/// Answers requests; called on the connection's thread.
using http_service = std::function<void(exchange)>;

} // namespace poseidon::gateway
