// The relay of an edge_session: bytes both ways, unmodified. No buffer is held while nothing is under way: a direction waits
// until it can read, reads into the worker's scratch, writes, and keeps only what the other side has no room for yet.

#include "nodes/edge/edge_session.hpp"

#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <cerrno>

namespace poseidon {

using boost::system::error_code;

namespace {

constexpr int rounds_max = 16;                ///< of one direction before others have their turn
constexpr millis after_the_end_max{30'000};   ///< that a client may stay silent once its instance has said its last

bool would_block() { return errno == EAGAIN || errno == EINTR; }

} // namespace

void edge_session::pump(pipe& way) {
  for (int round = 0; round < rounds_max; ++round)
    if (!pump_once(way)) return;
  boost::asio::post(worker_.io(), [self = shared_from_this(), &way] {
    if (self->phase_ == phase::relaying) self->pump(way);
  });
}

/// One step; false when this direction waits, or is done.
bool edge_session::pump_once(pipe& way) {
  if (link_.cut.load(std::memory_order_acquire)) {
    reset();
    return false;
  }
  if (!way.backlog.empty() && !write_out(way)) return false;
  if (way.ended) {
    finish(way);
    return false;
  }
  const auto got = ::recv(way.from.native_handle(), worker_.scratch(), edge_worker::scratch_bytes, 0);
  if (got < 0) {
    if (would_block()) wait_to_read(way);
    else reset(); // one side has given up: the other learns it the same way
    return false;
  }
  touch();
  if (got == 0) {
    if (&way == &down_ && torn_ && torn_->load(std::memory_order_acquire)) {
      reset(); // what came of it is not the whole
      return false;
    }
    way.ended = true;
    return true;
  }
  const auto length = static_cast<std::size_t>(got);
  if (way.discard) return true;
  const auto sent = ::send(way.to.native_handle(), worker_.scratch(), length, MSG_NOSIGNAL);
  if (sent < 0 && !would_block()) {
    on_write_failed(way);
    return phase_ == phase::relaying;
  }
  const auto written = sent < 0 ? std::size_t{0} : static_cast<std::size_t>(sent);
  if (written < length) {
    way.backlog.assign(worker_.scratch() + written, length - written);
    wait_to_write(way);
    return false;
  }
  if (length < edge_worker::scratch_bytes) {
    wait_to_read(way); // that was all there is
    return false;
  }
  return true;
}

/// Writes the backlog; false when some is left (or the session is over).
bool edge_session::write_out(pipe& way) {
  const auto sent = ::send(way.to.native_handle(), way.backlog.data(), way.backlog.size(), MSG_NOSIGNAL);
  if (sent < 0 && !would_block()) {
    on_write_failed(way);
    return phase_ == phase::relaying;
  }
  if (sent > 0) {
    touch();
    if (static_cast<std::size_t>(sent) == way.backlog.size()) {
      way.backlog = {}; // gives the memory back
      return true;
    }
    way.backlog.erase(0, static_cast<std::size_t>(sent));
  }
  wait_to_write(way);
  return false;
}

/// An instance that reads no more may still have an answer on its way (say, a 413): go on without that direction. A client
/// that reads no more is gone.
void edge_session::on_write_failed(pipe& way) {
  if (&way == &down_ || down_.done) return reset();
  way.backlog = {};
  way.discard = true;
}

void edge_session::wait_to_read(pipe& way) {
  way.from.async_wait(socket::wait_read, [self = shared_from_this(), &way](error_code error) {
    if (self->phase_ != phase::relaying) return;
    if (error) self->reset();
    else self->pump(way);
  });
}

void edge_session::wait_to_write(pipe& way) {
  way.to.async_wait(socket::wait_write, [self = shared_from_this(), &way](error_code error) {
    if (self->phase_ != phase::relaying) return;
    if (error) self->reset();
    else self->pump(way);
  });
}

void edge_session::finish(pipe& way) {
  if (!way.discard) ::shutdown(way.to.native_handle(), SHUT_WR);
  way.done = true;
  if (up_.done && down_.done) return close();
  if (&way == &down_ && up_.discard) {
    // The instance has answered without reading all: let the client read that answer before its sending is cut off.
    phase_ = phase::replying;
    reply_.clear();
    return write_reply();
  }
  touch();
}

void edge_session::touch() {
  expire_in(down_.done ? std::min(shared_.options.idle_timeout, after_the_end_max) : shared_.options.idle_timeout);
}

/// Ends both sides abruptly, so that neither takes what it got for the whole.
void edge_session::reset() {
  const linger at_once{1, 0};
  ::setsockopt(client_.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::setsockopt(instance_.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

} // namespace poseidon
