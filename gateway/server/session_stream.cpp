#include "gateway/server/session_core.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace poseidon::gateway {

namespace asio = boost::asio;
using boost::system::error_code;

void session::begin_stream(std::uint64_t serial, http_response head, std::function<void()> drained) {
  if (serial != serial_ || stage_ != stage::handling) return;
  stage_ = stage::streaming;
  chunked_ = reader_.is_http_1_1();
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

} // namespace poseidon::gateway
