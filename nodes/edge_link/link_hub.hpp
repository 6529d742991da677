#pragma once
// Links over Unix sockets, on a thread of their own.

#include <utility>

#include "nodes/edge_link/link_port.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <deque>
#include <map>
#include <mutex>
#include <thread>

namespace poseidon {

/// The links of one process, from whichever side they were opened: frames in and out, checked peers, bounded queues.
class link_hub : public link_port {
public:
  using socket = boost::asio::local::stream_protocol::socket;
  static constexpr std::size_t outbox_bytes_max = 64u << 20; ///< of a link whose peer does not read

  link_hub() = default;
  ~link_hub() override { stop(); }
  link_hub(const link_hub&) = delete;
  link_hub& operator=(const link_hub&) = delete;

  /// Tells `sink` of every link from now on. Once.
  void start(link_sink sink);
  /// Closes everything and ends the thread. May be repeated.
  virtual void stop();

  void send(link_id to, std::string frame) override;
  void close(link_id which) override;

protected:
  boost::asio::io_context& io() { return io_; }
  /// On the hub's thread: a connected socket becomes a link; 0 (and closed) when its peer is not of our user, nor root.
  link_id adopt(socket connected);
  /// On the hub's thread: this link is no more.
  virtual void on_lost(link_id /*link*/) {}
  /// On the hub's thread, once it runs.
  virtual void on_start() {}
  /// On the hub's thread, before everything is closed.
  virtual void on_stop() {}

private:
  struct link {
    link(link_id number, socket connected) : id(number), stream(std::move(connected)) {}
    link_id id;
    socket stream;
    std::string inbox;
    std::size_t need = 0; ///< bytes of the frame under way; 0: its length comes first
    std::deque<std::string> outbox;
    std::size_t outbox_bytes = 0;
    bool writing = false;
    bool closing = false; ///< once everything is written
  };
  using link_ptr = std::shared_ptr<link>;
  void read(const link_ptr& at);
  bool take_frames(link& at);
  void write(const link_ptr& at);
  void drop(link_id which);

  boost::asio::io_context io_{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_{io_.get_executor()};
  link_sink sink_;
  std::map<link_id, link_ptr> links_;
  link_id last_ = 0;
  std::thread thread_;
};

} // namespace poseidon
