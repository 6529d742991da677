// The half of machine_relay that leads players to instances of other machines.

#include "nodes/edge/relay_leading.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace poseidon {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

failure told(errc code, std::string detail) { return {code, std::move(detail), {}, {}, {}}; }

/// "host:port", "[v6]:port" -> host, port; empty when it is neither.
std::pair<std::string, std::string> split_address(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return {};
  auto host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return {host, address.substr(colon + 1)};
}

} // namespace

relay_attempt::relay_attempt(asio::any_io_executor on, asio::ssl::context& context, peer_request wanted, std::vector<std::string> addresses,
                             millis idle, std::function<void(outcome<led_stream>)> done)
    : on_(on), context_(context), request_(encode(wanted)), addresses_(std::move(addresses)), idle_(idle), done_(std::move(done)), resolver_(on),
      limit_(on) {}

void relay_attempt::begin(millis limit) {
  until_ = std::chrono::steady_clock::now() + limit;
  limit_.expires_at(until_);
  limit_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled) self->finish(told(errc::request_timeout, "the edge on its machine did not answer in time"));
  });
  next(told(errc::not_found, "no edge of its machine is known"));
}

void relay_attempt::next(failure why) {
  if (!done_) return;
  if (stream_) stream_->close();
  if (at_ == addresses_.size()) return finish(std::move(why));
  const auto [host, port] = split_address(addresses_[at_++]);
  if (host.empty()) return next(std::move(why));
  resolver_.async_resolve(host, port, tcp::resolver::numeric_service, [self = shared_from_this()](error_code error, const tcp::resolver::results_type& found) {
    if (!self->done_) return;
    if (error) return self->next(told(errc::not_found, "the edge on its machine can't be found: " + error.message()));
    self->stream_ = std::make_shared<peer_stream>(self->on_, self->context_, peer_stream::side::player);
    asio::async_connect(self->stream_->socket(), found, [self](error_code failed, const tcp::endpoint&) {
      if (!self->done_) return;
      if (failed) return self->next(told(errc::not_found, "the edge on its machine does not listen: " + failed.message()));
      self->shake();
    });
  });
}

millis relay_attempt::left() const {
  return std::max(millis{1}, std::chrono::duration_cast<millis>(until_ - std::chrono::steady_clock::now()));
}

void relay_attempt::shake() {
  stream_->handshake(left(), [self = shared_from_this()](bool fine) {
    if (!self->done_) return;
    if (!fine || !peer_tls::proved(self->stream_->ssl()))
      return self->next(told(errc::not_found, "the edge on its machine has another cluster key, or is none"));
    self->stream_->send_frame(self->request_, self->left(), [self](bool sent) {
      if (!self->done_) return;
      if (!sent) return self->next(told(errc::not_found, "the edge on its machine hung up"));
      self->stream_->read_frame(self->left(), [self](std::optional<std::string> bytes) { self->answered(std::move(bytes)); });
    });
  });
}

void relay_attempt::answered(std::optional<std::string> bytes) {
  if (!done_) return;
  const auto answer = bytes ? decode_peer_answer(*bytes) : outcome<peer_answer>{told(errc::not_found, "the edge on its machine hung up")};
  if (!answer) return next(answer.error);
  // Another edge of that machine may know what this one does not, yet.
  if (answer->status == peer_status::unknown) return next(failure_of(*answer));
  if (answer->status != peer_status::ok) return finish(failure_of(*answer));
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) return finish(told(errc::capacity_exhausted, std::strerror(errno)));
  const auto torn = std::make_shared<std::atomic<bool>>(false);
  led_stream led{unique_fd{pair[0]}, torn};
  std::exchange(stream_, nullptr)->lead(unique_fd{pair[1]}, idle_, torn, {});
  finish(outcome<led_stream>{std::move(led)});
}

void relay_attempt::finish(outcome<led_stream> how) {
  if (!done_) return;
  if (!how) spdlog::debug("edge: a player is not led to another machine: {}", how.error.detail);
  error_code ignored;
  limit_.cancel(ignored);
  resolver_.cancel();
  if (stream_) stream_->close();
  std::exchange(done_, nullptr)(std::move(how));
}

} // namespace poseidon
