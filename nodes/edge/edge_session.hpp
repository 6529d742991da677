#pragma once

#include "nodes/edge/edge_worker.hpp"
#include "nodes/edge/own_reply.hpp"
#include "nodes/edge/request_head.hpp"

namespace poseidon {

/// One connection of a client, from its first byte to its end: reads the first request's head, chooses the instance, then
/// relays. Lives on its worker's thread.
class edge_session : public std::enable_shared_from_this<edge_session> {
public:
  using socket = boost::asio::ip::tcp::socket;

  edge_session(edge_worker& worker, socket client, boost::asio::ip::address source);
  ~edge_session();
  void start();
  /// Ends it at once, without a word.
  void close();
  /// When the time of the present phase is over, on the worker's clock.
  std::int64_t expires_at_ms() const { return expires_at_ms_; }
  /// Ends what has taken too long.
  void run_out();

private:
  enum class phase : std::uint8_t { head, asking, connecting, relaying, replying, closed };

  /// One direction of the relay.
  struct pipe {
    socket& from;
    socket& to;
    std::string backlog = {}; ///< read, and not yet written
    bool ended = false;  ///< `from` has said its last
    bool done = false;   ///< and so has been told to `to`
    bool discard = false; ///< `to` takes no more; only what comes back matters
  };

  // The head, and what follows from it.
  void read_more_head();
  void on_head_bytes();
  void choose();
  void ask();
  void connect(const edge_route_ptr& route);
  void on_connected(const edge_route_ptr& route, outcome<unique_fd> got);
  void connect_elsewhere(const edge_route_ptr& route);
  void on_led(const edge_route_ptr& route, outcome<led_stream> got);
  void on_unreachable(const edge_route_ptr& route, errc why);
  void lead_to(const edge_route_ptr& route, int fd);

  // The edge's own replies.
  void answer(const own_reply& reply);
  void write_reply();
  void drain();

  // The relay.
  void pump(pipe& way);
  bool pump_once(pipe& way);
  bool write_out(pipe& way);
  void on_write_failed(pipe& way);
  void wait_to_read(pipe& way);
  void wait_to_write(pipe& way);
  void finish(pipe& way);
  void reset();

  /// Something has moved: the relay may be idle from now on.
  void touch();
  void expire_in(millis span) { expires_at_ms_ = edge_worker::now_ms() + span.count(); }

  edge_worker& worker_;
  const edge_shared& shared_;
  socket client_;
  socket instance_;
  boost::asio::ip::address source_;
  phase phase_ = phase::head;
  std::int64_t expires_at_ms_ = 0;
  std::string head_bytes_;     ///< everything read so far: the head, and what came with it
  request_head head_;
  reply_form form_;
  bool asked_ = false;
  int attempts_ = 0;
  std::string reply_;
  std::size_t drained_ = 0;
  connection_link link_;
  std::shared_ptr<connection_set> joined_;
  std::shared_ptr<const std::atomic<bool>> torn_; ///< of a connection to another machine
  pipe up_{client_, instance_};
  pipe down_{instance_, client_};
};

} // namespace poseidon
