#pragma once

#include <utility>

#include "nodes/dialer/dialer_client.hpp"
#include "nodes/edge/edge_options.hpp"
#include "nodes/edge/edge_table.hpp"
#include "nodes/edge/source_limits.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <thread>
#include <unordered_map>

namespace poseidon {

class edge_session;

/// What all threads of the data plane share. Everything in it outlives them.
struct edge_shared {
  const edge_options& options;
  edge_table& table;
  dialer_client& dialer;
  const clock& time;
  source_limits& limits;
  edge_counters& counters;
};

/// One thread of the data plane: an io_context, its acceptors and its sessions. All but the constructor, start and stop
/// happens on its own thread.
class edge_worker : public std::enable_shared_from_this<edge_worker> {
public:
  static constexpr std::size_t scratch_bytes = 64 << 10;

  explicit edge_worker(const edge_shared& shared);
  ~edge_worker();
  /// Listens on one more address, together with other workers. Throws boost::system::system_error.
  boost::asio::ip::tcp::endpoint listen(const boost::asio::ip::tcp::endpoint& where);
  void start();
  /// Closes everything and joins the thread. May be repeated. Answers of the dialer that come later find nobody: they hold
  /// the worker, but not its sessions.
  void stop();

  boost::asio::io_context& io() { return io_; }
  const edge_shared& shared() const { return shared_; }
  /// For reading into, by whoever runs; its content is gone once the handler returns.
  char* scratch() { return scratch_.get(); }
  /// Milliseconds of the monotonic clock.
  static std::int64_t now_ms();
  void forget(edge_session& session);

private:
  /// One listening socket.
  struct door {
    explicit door(boost::asio::io_context& io) : acceptor(io), pause(io) {}
    boost::asio::ip::tcp::acceptor acceptor;
    boost::asio::steady_timer pause;
  };
  void accept(door& at);
  void accept_later(door& at);
  void admit(boost::asio::ip::tcp::socket client);
  void sweep();

  const edge_shared& shared_;
  boost::asio::io_context io_{1};
  std::vector<std::unique_ptr<door>> doors_;
  std::unordered_map<edge_session*, std::shared_ptr<edge_session>> sessions_;
  boost::asio::steady_timer sweep_timer_{io_};
  std::unique_ptr<char[]> scratch_;
  std::thread thread_;
};

} // namespace poseidon
