#pragma once

#include <utility>

#include "nodes/dialer/unique_fd.hpp"
#include "nodes/edge/connection_set.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace poseidon {

/// One connection between the edges of two machines, and the plain socket that it is led to: on the player's side a pair's end
/// that looks to the edge's session like the instance, on the instance's side the instance. Everything happens on its executor (a
/// strand). Half-closes pass through; whatever breaks on one side breaks on the other.
class peer_stream : public std::enable_shared_from_this<peer_stream> {
public:
  using tcp = boost::asio::ip::tcp;
  enum class side { player, instance };

  peer_stream(boost::asio::any_io_executor on, boost::asio::ssl::context& context, side which)
      : on_(on), tls_(tcp::socket{on}, context), plain_(on), timer_(on), side_(which) {}
  ~peer_stream();

  boost::asio::any_io_executor executor() const { return on_; }
  tcp::socket& socket() { return tls_.next_layer(); }
  SSL* ssl() { return tls_.native_handle(); }

  /// Each of these fails (false, or nothing) when its time is over, and after close().
  void handshake(std::chrono::milliseconds limit, std::function<void(bool)> done);
  void send_frame(const std::string& bytes, std::chrono::milliseconds limit, std::function<void(bool)> done);
  void read_frame(std::chrono::milliseconds limit, std::function<void(std::optional<std::string>)> done);

  /// Leads it to `plain` until both have said all, nothing moves for `idle`, or something breaks: then `*torn` (may be null) is set
  /// before the plain side closes. `over` is called once at the end.
  void lead(unique_fd plain, std::chrono::milliseconds idle, std::shared_ptr<std::atomic<bool>> torn, std::function<void()> over);
  /// On the instance's side: joined to the instance's connections, so that it is cut with them. Before lead().
  void joined(std::shared_ptr<connection_set> set) { set_ = std::move(set); }
  connection_link& link() { return link_; }
  /// Kept until it is closed.
  void hold(std::shared_ptr<void> something) { held_ = std::move(something); }
  /// Ends it at once; the plain side learns that it was not the regular end.
  void close();

private:
  void limit(std::chrono::milliseconds span);
  void watch_idle();
  void read_plain();
  void read_tls();
  void take_tls();
  void finish_up();
  void finish_down();
  void finish_if_done();
  void on_plain_write_failed();
  bool hung_up() const;

  static constexpr std::size_t chunk = 16 << 10; // a record of TLS
  boost::asio::any_io_executor on_;
  boost::asio::ssl::stream<tcp::socket> tls_;
  boost::asio::posix::stream_descriptor plain_;
  boost::asio::steady_timer timer_;
  const side side_;
  std::string out_;                         ///< a frame before lead()
  std::array<char, chunk + 2> from_plain_;  ///< with room for the frame's length in front
  std::array<char, chunk> from_tls_;
  std::size_t have_ = 0, used_ = 0;         ///< of from_tls_
  std::size_t left_ = 0;                    ///< of the frame that is being taken
  std::array<char, 2> head_;
  std::size_t head_bytes_ = 0;
  std::function<void()> over_;
  std::shared_ptr<std::atomic<bool>> torn_;
  std::shared_ptr<connection_set> set_;
  connection_link link_;
  std::shared_ptr<void> held_;
  std::chrono::milliseconds idle_{0};
  std::chrono::steady_clock::time_point moved_{};
  bool up_done_ = false, down_done_ = false; ///< up: from plain; down: to plain
  bool discard_ = false;                     ///< the instance reads no more; what it says still matters
  bool closed_ = false;
};

} // namespace poseidon
