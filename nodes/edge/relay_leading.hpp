#pragma once

#include "nodes/edge/edge_options.hpp"
#include "nodes/edge/relay_parts.hpp"

namespace poseidon {

/// One player's way to an instance of another machine: tries that machine's edges in turn. On its executor (a strand).
class relay_attempt : public std::enable_shared_from_this<relay_attempt> {
public:
  using tcp = boost::asio::ip::tcp;
  relay_attempt(boost::asio::any_io_executor on, boost::asio::ssl::context& context, peer_request wanted, std::vector<std::string> addresses,
                millis idle, std::function<void(outcome<led_stream>)> done);
  /// `done` is called once, within `limit`.
  void begin(millis limit);

private:
  void next(failure why);
  void shake();
  void answered(std::optional<std::string> bytes);
  void finish(outcome<led_stream> how);
  millis left() const;

  boost::asio::any_io_executor on_;
  boost::asio::ssl::context& context_;
  std::string request_;
  std::vector<std::string> addresses_;
  std::size_t at_ = 0;
  millis idle_;
  std::function<void(outcome<led_stream>)> done_;
  tcp::resolver resolver_;
  boost::asio::steady_timer limit_;
  std::chrono::steady_clock::time_point until_{};
  peer_stream_ptr stream_;
};

} // namespace poseidon
