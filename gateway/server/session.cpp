// The one translation unit with Beast in it: its parser reads requests; answers are written by hand.

#include "gateway/server/session.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <sys/socket.h>

namespace poseidon::gateway {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

enum class stage : std::uint8_t { idle, head, body, handling, answering, streaming, lingering, closed };

class session final : public session_base, public connection, public std::enable_shared_from_this<session> {
public:
  session(io_thread& thread, stream_socket socket, peer_info peer)
      : thread_(thread), socket_(std::move(socket)), peer_(std::move(peer)) {
    request_.peer = &peer_;
    thread_.add(*this);
  }
  ~session() override {
    thread_.remove(*this);
    thread_.connections().remove();
  }

  void start() {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    await_request();
  }

  // session_base
  void check_deadline(steady_time now) override;
  void drain() override;
  void abort() override { close(); }

  // connection
  const http_request& current() const override { return request_; }
  bool open(std::uint64_t serial) const override {
    return serial == serial_ && (stage_ == stage::handling || stage_ == stage::streaming);
  }
  void respond(std::uint64_t serial, http_response response) override;
  void begin_stream(std::uint64_t serial, http_response head, std::function<void()> drained) override;
  bool write(std::uint64_t serial, std::shared_ptr<const std::string> piece) override;
  void end(std::uint64_t serial) override;
  void on_closed(std::uint64_t serial, std::function<void()> closed) override;
  loop& thread() override { return thread_; }

private:
  void expect_within(std::chrono::milliseconds span) { deadline_ = std::chrono::steady_clock::now() + span; }
  void await_request();
  void read_more();
  void parse();
  void note_head();
  void dispatch();
  void refuse(int status, std::string_view detail);
  void refuse_parse(const error_code& ec);
  void send(http_response response);
  void answered();
  void watch_peer();
  void linger();
  void discard();
  void piece_sent(const error_code& ec);
  void gone();
  void tell_closed();
  void close();

  io_thread& thread_;
  stream_socket socket_;
  peer_info peer_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http_request request_;
  std::string out_head_, out_body_, chunk_head_;
  std::shared_ptr<const std::string> piece_;
  std::function<void()> drained_, closed_;
  steady_time deadline_ = steady_time::max();
  std::uint64_t serial_ = 0;
  stage stage_ = stage::idle;
  bool keep_alive_ = true, head_only_ = false, chunked_ = false, writing_ = false, ending_ = false, watching_ = false, head_noted_ = false;
};

void session::await_request() {
  stage_ = stage::idle;
  keep_alive_ = true;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(thread_.limits().header_bytes));
  parser_->body_limit(thread_.limits().body_bytes);
  parser_->eager(true);
  head_noted_ = false;
  expect_within(thread_.limits().idle_timeout);
  if (buffer_.size() > 0)
    parse(); // pipelined
  else if (thread_.draining())
    close();
  else
    read_more();
}

void session::read_more() {
  auto room = buffer_.prepare(4096);
  socket_.async_read_some(room, [self = shared_from_this()](error_code ec, std::size_t n) {
    if (self->stage_ > stage::body) return; // refused meanwhile (408): the read was cancelled
    if (ec) return self->close();
    self->buffer_.commit(n);
    self->parse();
  });
}

void session::parse() {
  if (stage_ == stage::idle) {
    stage_ = stage::head;
    expect_within(thread_.limits().header_timeout);
  }
  while (buffer_.size() > 0) {
    error_code ec;
    auto used = parser_->put(buffer_.data(), ec);
    buffer_.consume(used);
    if (ec && ec != http::error::need_more) return refuse_parse(ec);
    if (parser_->is_done()) return dispatch();
    if (parser_->is_header_done() && !head_noted_) note_head();
    if (ec == http::error::need_more || used == 0) break;
  }
  read_more();
}

void session::note_head() {
  head_noted_ = true;
  stage_ = stage::body;
  expect_within(thread_.limits().body_timeout);
  auto& message = parser_->get();
  if (message.version() >= 11 && boost::beast::iequals(message[http::field::expect], "100-continue")) {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    // Twenty-five bytes into an empty send buffer: where even those do not fit, the client's own wait goes on.
    [[maybe_unused]] auto sent = ::send(socket_.native_handle(), go_on.data(), go_on.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
}

void session::refuse_parse(const error_code& ec) {
  if (ec == http::error::header_limit) return refuse(431, "the request's head is larger than allowed");
  if (ec == http::error::body_limit) return refuse(413, "the request's body is larger than allowed");
  refuse(400, "not a well-formed HTTP/1.1 request: " + ec.message());
}

void session::refuse(int status, std::string_view detail) {
  ++serial_;
  stage_ = stage::handling;
  head_only_ = false;
  auto response = thread_.problem(status, detail);
  response.close = true;
  send(std::move(response));
}

void session::dispatch() {
  auto& message = parser_->get();
  keep_alive_ = parser_->keep_alive() && message.version() >= 11 && !thread_.draining();
  stage_ = stage::handling;
  deadline_ = steady_time::max();
  ++serial_;
  request_.method = method_from_string(view_of(message.method_string()));
  head_only_ = request_.method == http_method::head;
  parse_target(view_of(message.target()), request_);
  request_.headers.clear();
  for (auto& field : message) request_.headers.emplace_back(view_of(field.name_string()), view_of(field.value()));
  request_.body = std::move(message.body());
  thread_.service()(exchange{shared_from_this(), serial_});
}

void session::respond(std::uint64_t serial, http_response response) {
  if (serial != serial_ || stage_ != stage::handling) return;
  send(std::move(response));
}

void session::send(http_response response) {
  stage_ = stage::answering;
  closed_ = nullptr;
  keep_alive_ = keep_alive_ && !response.close && !thread_.draining();
  out_head_ = render_head(response, {.keep_alive = keep_alive_});
  out_body_ = head_only_ ? std::string{} : std::move(response.body);
  expect_within(thread_.limits().write_timeout);
  std::array<asio::const_buffer, 2> pieces{asio::buffer(out_head_), asio::buffer(out_body_)};
  bool refused = response.close;
  asio::async_write(socket_, pieces, [self = shared_from_this(), refused](error_code ec, std::size_t) {
    if (ec || self->stage_ == stage::closed) return self->close();
    if (self->keep_alive_) return self->answered();
    if (refused) return self->linger();
    self->close();
  });
}

void session::answered() {
  out_body_.clear();
  request_.body.clear();
  await_request();
}

/// While a handler takes its time: notices a client that left, without reading what it may have pipelined.
void session::watch_peer() {
  if (watching_) return;
  watching_ = true;
  socket_.async_wait(stream_socket::wait_read, [self = shared_from_this()](error_code ec) {
    self->watching_ = false;
    if (ec || (self->stage_ != stage::handling && self->stage_ != stage::streaming)) return;
    char byte = 0;
    auto n = ::recv(self->socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) self->gone();
  });
}

void session::on_closed(std::uint64_t serial, std::function<void()> closed) {
  if (!open(serial)) return;
  closed_ = std::move(closed);
  watch_peer();
}

void session::tell_closed() {
  auto told = std::exchange(closed_, nullptr);
  if (told) told();
}

/// The client has left: a stream ends; a handler that waits is told, and its answer goes to whoever still listens.
void session::gone() {
  keep_alive_ = false;
  if (stage_ == stage::streaming) return close();
  tell_closed();
}

void session::begin_stream(std::uint64_t serial, http_response head, std::function<void()> drained) {
  if (serial != serial_ || stage_ != stage::handling) return;
  stage_ = stage::streaming;
  chunked_ = parser_->get().version() >= 11;
  keep_alive_ = keep_alive_ && chunked_;
  ending_ = false;
  drained_ = std::move(drained);
  out_head_ = render_head(head, {.keep_alive = keep_alive_, .chunked = chunked_, .without_length = true});
  writing_ = true;
  expect_within(thread_.limits().write_timeout);
  if (!closed_) closed_ = [] {};
  watch_peer();
  asio::async_write(socket_, asio::buffer(out_head_), [self = shared_from_this()](error_code ec, std::size_t) {
    if (self->head_only_ && self->stage_ == stage::streaming) {
      self->tell_closed();
      self->end(self->serial_);
    }
    self->piece_sent(ec);
  });
}

bool session::write(std::uint64_t serial, std::shared_ptr<const std::string> piece) {
  if (serial != serial_ || stage_ != stage::streaming || writing_ || ending_) return false;
  if (piece->empty()) return true;
  writing_ = true;
  piece_ = std::move(piece);
  expect_within(thread_.limits().write_timeout);
  static constexpr std::string_view line_end = "\r\n";
  std::array<asio::const_buffer, 3> parts{};
  if (chunked_) {
    char size[24];
    auto n = std::snprintf(size, sizeof size, "%zx\r\n", piece_->size());
    chunk_head_.assign(size, static_cast<std::size_t>(n));
    parts = {asio::buffer(chunk_head_), asio::buffer(*piece_), asio::buffer(line_end.data(), line_end.size())};
  } else {
    parts[0] = asio::buffer(*piece_);
  }
  asio::async_write(socket_, parts, [self = shared_from_this()](error_code ec, std::size_t) { self->piece_sent(ec); });
  return true;
}

void session::piece_sent(const error_code& ec) {
  writing_ = false;
  piece_.reset();
  if (ec || stage_ != stage::streaming) return close();
  deadline_ = steady_time::max();
  if (ending_) return end(serial_);
  if (auto more = drained_) more(); // a copy: it may end the stream, and with it itself
}

void session::end(std::uint64_t serial) {
  if (serial != serial_ || stage_ != stage::streaming) return;
  ending_ = true;
  if (writing_) return;
  stage_ = stage::answering;
  closed_ = nullptr;
  auto released = std::exchange(drained_, nullptr);
  out_head_ = chunked_ && !head_only_ ? "0\r\n\r\n" : "";
  keep_alive_ = keep_alive_ && !thread_.draining();
  expect_within(thread_.limits().write_timeout);
  asio::async_write(socket_, asio::buffer(out_head_), [self = shared_from_this()](error_code ec, std::size_t) {
    if (ec || !self->keep_alive_ || self->stage_ == stage::closed) return self->close();
    self->answered();
  });
}

/// Closing with unread input would reset the connection and may lose the answer: read on for a while.
void session::linger() {
  stage_ = stage::lingering;
  expect_within(thread_.limits().linger_timeout);
  error_code ignored;
  socket_.shutdown(stream_socket::shutdown_send, ignored);
  buffer_.consume(buffer_.size());
  discard();
}

void session::discard() {
  auto room = buffer_.prepare(16384);
  socket_.async_read_some(room, [self = shared_from_this()](error_code ec, std::size_t) {
    if (ec || self->stage_ == stage::closed) return self->close();
    self->discard();
  });
}

void session::check_deadline(steady_time now) {
  if (now < deadline_) return;
  auto keep = shared_from_this();
  if (stage_ != stage::head && stage_ != stage::body) return close();
  error_code ignored;
  socket_.cancel(ignored);
  refuse(408, stage_ == stage::head ? "the request's head took too long" : "the request's body took too long");
}

void session::drain() {
  auto keep = shared_from_this();
  keep_alive_ = false;
  if (stage_ == stage::idle) return close();
  tell_closed();
  if (stage_ == stage::streaming) end(serial_);
}

void session::close() {
  if (stage_ == stage::closed) return;
  auto keep = shared_from_this();
  stage_ = stage::closed;
  error_code ignored;
  socket_.close(ignored);
  drained_ = nullptr;
  tell_closed();
}

} // namespace

void start_session(io_thread& thread, stream_socket socket, peer_info peer) {
  std::make_shared<session>(thread, std::move(socket), std::move(peer))->start();
}

} // namespace poseidon::gateway
