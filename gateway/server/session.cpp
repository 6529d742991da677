#include "gateway/server/session.hpp"

#include "gateway/server/session_core.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>

namespace poseidon::gateway {

namespace asio = boost::asio;
using boost::system::error_code;

void session::await_request() {
  stage_ = stage::idle;
  keep_alive_ = true;
  reader_.begin();
  expect_within(thread_.limits().idle_timeout);
  if (reader_.has_input())
    parse(); // pipelined
  else if (thread_.draining())
    close();
  else
    read_more();
}

void session::read_more() {
  auto [room, size] = reader_.room();
  socket_.async_read_some(asio::buffer(room, size), [self = shared_from_this()](error_code ec, std::size_t n) {
    if (self->stage_ > stage::body) return; // refused meanwhile (408): the read was cancelled
    if (ec) return self->close();
    self->reader_.wrote(n);
    self->parse();
  });
}

void session::parse() {
  if (stage_ == stage::idle) {
    stage_ = stage::head;
    expect_within(thread_.limits().header_timeout);
  }
  switch (reader_.read()) {
  case request_reader::step::done: return dispatch();
  case request_reader::step::bad: return refuse(reader_.status(), reader_.detail());
  case request_reader::step::more: break;
  }
  if (stage_ == stage::head && reader_.head_done()) expect_body();
  read_more();
}

void session::expect_body() {
  stage_ = stage::body;
  expect_within(thread_.limits().body_timeout);
  if (!reader_.wants_continue()) return;
  static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  // Twenty-five bytes into an empty send buffer: where even those do not fit, the client's own wait goes on.
  [[maybe_unused]] auto sent = ::send(socket_.native_handle(), go_on.data(), go_on.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
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
  keep_alive_ = reader_.keep_alive() && reader_.is_http_1_1() && !thread_.draining();
  stage_ = stage::handling;
  deadline_ = steady_time::max();
  ++serial_;
  reader_.take(request_);
  head_only_ = request_.method == http_method::head;
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

/// Closing with unread input would reset the connection and may lose the answer: read on for a while.
void session::linger() {
  stage_ = stage::lingering;
  expect_within(thread_.limits().linger_timeout);
  error_code ignored;
  socket_.shutdown(stream_socket::shutdown_send, ignored);
  discard();
}

void session::discard() {
  reader_.drop_input();
  auto [room, size] = reader_.room();
  socket_.async_read_some(asio::buffer(room, size), [self = shared_from_this()](error_code ec, std::size_t) {
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

void start_session(io_thread& thread, stream_socket socket, peer_info peer) {
  std::make_shared<session>(thread, std::move(socket), std::move(peer))->start();
}

} // namespace poseidon::gateway
