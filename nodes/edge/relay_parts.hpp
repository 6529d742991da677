#pragma once
// The inside of machine_relay; only its own files use it.

#include "nodes/edge/machine_relay.hpp"
#include "nodes/edge/peer_stream.hpp"
#include "nodes/edge/peer_tls.hpp"
#include "nodes/edge/peer_wire.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <thread>

namespace poseidon {

using peer_stream_ptr = std::shared_ptr<peer_stream>;

struct machine_relay::parts : std::enable_shared_from_this<machine_relay::parts> {
  using tcp = boost::asio::ip::tcp;
  /// One listening socket.
  struct door {
    explicit door(boost::asio::io_context& io) : acceptor(io), pause(io) {}
    tcp::acceptor acceptor;
    boost::asio::steady_timer pause;
  };

  parts(relay_options given, const edge_table& routes, dialer_client& reaches, const clock& now, relays_of_machine known)
      : options(std::move(given)), table(routes), dialer(reaches), time(now), relays(std::move(known)), tls(options.cluster_key) {}

  edge_options::address listen(const edge_options::address& wanted);

  // Taking connections (relay_taking.cpp).
  void accept(const std::shared_ptr<door>& at);
  void greet(tcp::socket peer);
  void on_request(const peer_stream_ptr& stream, const std::string& bytes);
  void on_dialed(const peer_stream_ptr& stream, const edge_route_ptr& route, outcome<unique_fd> got);
  void refuse(const peer_stream_ptr& stream, const peer_answer& why);

  relay_options options;
  const edge_table& table;
  dialer_client& dialer;
  const clock& time;
  relays_of_machine relays;
  peer_tls tls;
  relay_counters counters;
  std::atomic<std::size_t> taken = 0; ///< connections of other edges that are open
  boost::asio::io_context io;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work{io.get_executor()};
  std::vector<std::shared_ptr<door>> doors;
  std::vector<std::thread> threads;
};

} // namespace poseidon
