#include "nodes/edge_link/link_hub.hpp"

#include "messages/envelope.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include <sys/socket.h>
#include <unistd.h>

namespace poseidon {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t length_bytes = 4, read_bytes = 64 << 10;

std::string with_length(const std::string& frame) {
  const auto size = static_cast<std::uint32_t>(frame.size());
  std::string bytes;
  bytes.reserve(length_bytes + frame.size());
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 0xff);
  return bytes += frame;
}

bool is_trusted(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == 0 || peer.uid == ::geteuid());
}

} // namespace

void link_hub::start(link_sink sink) {
  sink_ = std::move(sink);
  asio::post(io_, [this] { on_start(); });
  thread_ = std::thread{[this] { io_.run(); }};
}

void link_hub::stop() {
  if (thread_.joinable()) {
    asio::post(io_, [this] {
      on_stop();
      while (!links_.empty()) drop(links_.begin()->first);
      io_.stop();
    });
    thread_.join();
  }
  sink_ = nullptr;
}

void link_hub::send(link_id to, std::string frame) {
  asio::post(io_, [this, to, bytes = with_length(frame)]() mutable {
    const auto found = links_.find(to);
    if (found == links_.end()) return;
    const auto at = found->second;
    at->outbox_bytes += bytes.size();
    at->outbox.push_back(std::move(bytes));
    if (at->outbox_bytes > outbox_bytes_max) return drop(to);
    if (!at->writing) write(at);
  });
}

void link_hub::close(link_id which) {
  // After what was sent before: a refusal is to arrive.
  asio::post(io_, [this, which] {
    const auto found = links_.find(which);
    if (found == links_.end()) return;
    if (!found->second->writing) return drop(which);
    found->second->closing = true;
  });
}

link_id link_hub::adopt(socket connected) {
  if (!is_trusted(connected.native_handle())) {
    spdlog::warn("a process of another user tried to link with this one: refused");
    return 0;
  }
  const auto at = std::make_shared<link>(++last_, std::move(connected));
  links_.emplace(at->id, at);
  caf::anon_send(sink_, edge_link_opened{at->id});
  read(at);
  return at->id;
}

void link_hub::read(const link_ptr& at) {
  const auto before = at->inbox.size();
  at->inbox.resize(before + read_bytes);
  at->stream.async_read_some(asio::buffer(at->inbox.data() + before, read_bytes), [this, at, before](error_code error, std::size_t size) {
    at->inbox.resize(before + size);
    if (!links_.contains(at->id)) return;
    if (error || (!at->closing && !take_frames(*at))) return drop(at->id);
    if (at->closing) at->inbox.clear();
    read(at);
  });
}

bool link_hub::take_frames(link& at) {
  std::size_t used = 0;
  for (;;) {
    const auto left = at.inbox.size() - used;
    if (at.need == 0) {
      if (left < length_bytes) break;
      for (std::size_t i = 0; i < length_bytes; ++i) at.need = at.need << 8 | static_cast<unsigned char>(at.inbox[used + i]);
      used += length_bytes;
      if (at.need == 0 || at.need > max_frame_bytes) return false;
      continue;
    }
    if (left < at.need) break;
    caf::anon_send(sink_, edge_link_received{at.id, std::make_shared<const std::string>(at.inbox, used, at.need)});
    used += std::exchange(at.need, 0);
  }
  at.inbox.erase(0, used);
  return true;
}

void link_hub::write(const link_ptr& at) {
  at->writing = true;
  asio::async_write(at->stream, asio::buffer(at->outbox.front()), [this, at](error_code error, std::size_t) {
    if (!links_.contains(at->id)) return;
    at->writing = false;
    if (error) return drop(at->id);
    at->outbox_bytes -= at->outbox.front().size();
    at->outbox.pop_front();
    if (!at->outbox.empty()) return write(at);
    if (at->closing) drop(at->id);
  });
}

void link_hub::drop(link_id which) {
  const auto found = links_.find(which);
  if (found == links_.end()) return;
  error_code ignored;
  found->second->stream.close(ignored);
  links_.erase(found);
  caf::anon_send(sink_, edge_link_lost{which});
  on_lost(which);
}

} // namespace poseidon
