#include "nodes/edge/peer_stream.hpp"

#include "nodes/edge/peer_wire.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace poseidon {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

peer_stream::~peer_stream() { close(); }

void peer_stream::limit(std::chrono::milliseconds span) {
  timer_.expires_after(span);
  timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    if (const auto self = weak.lock(); self && !cancelled) self->close();
  });
}

void peer_stream::handshake(std::chrono::milliseconds span, std::function<void(bool)> done) {
  limit(span);
  error_code ignored;
  socket().set_option(tcp::no_delay{true}, ignored);
  const auto as = side_ == side::player ? asio::ssl::stream_base::client : asio::ssl::stream_base::server;
  tls_.async_handshake(as, [self = shared_from_this(), done = std::move(done)](error_code error) { done(!error && !self->closed_); });
}

void peer_stream::send_frame(const std::string& bytes, std::chrono::milliseconds span, std::function<void(bool)> done) {
  if (closed_ || bytes.size() > peer_frame_max) return done(false);
  limit(span);
  out_ = peer_frame(bytes);
  asio::async_write(tls_, asio::buffer(out_), [self = shared_from_this(), done = std::move(done)](error_code error, std::size_t) {
    done(!error && !self->closed_);
  });
}

void peer_stream::read_frame(std::chrono::milliseconds span, std::function<void(std::optional<std::string>)> done) {
  if (closed_) return done(std::nullopt);
  limit(span);
  asio::async_read(tls_, asio::buffer(head_), [self = shared_from_this(), done = std::move(done)](error_code error, std::size_t) {
    if (error || self->closed_) return done(std::nullopt);
    const auto bytes = std::make_shared<std::string>(peer_frame_length(self->head_.data()), '\0');
    asio::async_read(self->tls_, asio::buffer(*bytes), [self, bytes, done](error_code failed, std::size_t) {
      if (failed || self->closed_) return done(std::nullopt);
      done(std::move(*bytes));
    });
  });
}

void peer_stream::lead(unique_fd plain, std::chrono::milliseconds idle, std::shared_ptr<std::atomic<bool>> torn, std::function<void()> over) {
  torn_ = std::move(torn);
  over_ = std::move(over);
  idle_ = idle;
  moved_ = steady_clock::now();
  error_code error;
  plain_.assign(plain.get(), error);
  if (error || closed_) {
    closed_ = false; // to end it properly
    return close();
  }
  plain.release();
  plain_.non_blocking(true, error);
  watch_idle();
  read_plain();
  read_tls();
}

void peer_stream::watch_idle() {
  timer_.expires_at(moved_ + idle_);
  timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (!self || cancelled || self->closed_) return;
    if (steady_clock::now() - self->moved_ >= self->idle_) self->close();
    else self->watch_idle();
  });
}

void peer_stream::read_plain() {
  plain_.async_read_some(asio::buffer(from_plain_.data() + peer_length_bytes, chunk), [self = shared_from_this()](error_code error, std::size_t size) {
    if (self->closed_) return;
    if (error == asio::error::eof) return self->finish_up();
    if (error) return self->close();
    self->moved_ = steady_clock::now();
    self->from_plain_[0] = static_cast<char>(size >> 8);
    self->from_plain_[1] = static_cast<char>(size & 0xff);
    asio::async_write(self->tls_, asio::buffer(self->from_plain_.data(), size + peer_length_bytes), [self](error_code failed, std::size_t) {
      if (self->closed_) return;
      if (failed) return self->close();
      self->moved_ = steady_clock::now();
      self->read_plain();
    });
  });
}

void peer_stream::finish_up() {
  // Closed altogether, though there is more to be said to it: it was torn.
  if (!down_done_ && !discard_ && hung_up()) return close();
  from_plain_[0] = from_plain_[1] = 0;
  asio::async_write(tls_, asio::buffer(from_plain_.data(), peer_length_bytes), [self = shared_from_this()](error_code failed, std::size_t) {
    if (self->closed_) return;
    if (failed) return self->close();
    self->up_done_ = true;
    self->finish_if_done();
  });
}

void peer_stream::read_tls() {
  tls_.async_read_some(asio::buffer(from_tls_), [self = shared_from_this()](error_code error, std::size_t size) {
    if (self->closed_) return;
    if (error) return self->close(); // also its end: a direction ends by an empty frame
    self->moved_ = steady_clock::now();
    self->have_ = size;
    self->used_ = 0;
    self->take_tls();
  });
}

void peer_stream::take_tls() {
  while (used_ < have_) {
    if (left_ == 0) {
      head_[head_bytes_++] = from_tls_[used_++];
      if (head_bytes_ < peer_length_bytes) continue;
      head_bytes_ = 0;
      left_ = peer_frame_length(head_.data());
      if (left_ == 0) return finish_down();
      continue;
    }
    const auto size = std::min(left_, have_ - used_);
    const auto* bytes = from_tls_.data() + used_;
    left_ -= size;
    used_ += size;
    if (discard_) continue;
    asio::async_write(plain_, asio::buffer(bytes, size), [self = shared_from_this()](error_code error, std::size_t) {
      if (self->closed_) return;
      if (error) self->on_plain_write_failed();
      if (self->closed_) return;
      self->moved_ = steady_clock::now();
      self->take_tls();
    });
    return;
  }
  read_tls();
}

/// An instance that reads no more may still have an answer on its way; a player that reads no more is gone.
void peer_stream::on_plain_write_failed() {
  if (side_ == side::player || up_done_) return close();
  discard_ = true;
}

void peer_stream::finish_down() {
  if (used_ < have_) return close(); // more after the end
  down_done_ = true;
  ::shutdown(plain_.native_handle(), SHUT_WR);
  finish_if_done();
}

void peer_stream::finish_if_done() {
  if (!up_done_ || !down_done_) return;
  torn_ = nullptr; // this is the regular end
  close();
}

bool peer_stream::hung_up() const {
  pollfd watched{const_cast<peer_stream*>(this)->plain_.native_handle(), 0, 0};
  return ::poll(&watched, 1, 0) == 1 && (watched.revents & POLLHUP) != 0;
}

void peer_stream::close() {
  if (closed_) return;
  closed_ = true;
  const bool regular = up_done_ && down_done_;
  if (torn_) torn_->store(true, std::memory_order_release);
  if (set_) set_->leave(link_);
  set_ = nullptr;
  error_code ignored;
  if (!regular) {
    const linger at_once{1, 0};
    if (plain_.is_open()) ::setsockopt(plain_.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (socket().is_open()) ::setsockopt(socket().native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  plain_.close(ignored);
  socket().close(ignored);
  timer_.cancel();
  held_ = nullptr;
  if (const auto over = std::exchange(over_, nullptr)) over();
}

} // namespace poseidon
