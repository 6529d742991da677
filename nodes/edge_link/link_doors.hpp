#pragma once
// How node and edge processes of one machine find each other: every edge has a socket in one directory.

#include "config/settings.hpp"
#include "nodes/edge_link/link_hub.hpp"

#include <boost/asio/steady_timer.hpp>

#include <set>
#include <string>

namespace poseidon {

/// True when nodes and edges of this machine are, or may be, in several processes.
bool links_with_others(const config::settings& settings);
/// Where the edges of a cluster have their sockets: one directory below `link_dir` for each cluster.
std::string link_folder(const std::string& link_dir, const std::string& cluster);
/// The socket of the edge process called `name`.
std::string link_socket(const std::string& folder, const std::string& name);

/// The edge's side: listens.
class link_door final : public link_hub {
public:
  ~link_door() override { stop(); }
  /// Binds, for this user's processes and root's; takes the place of a dead edge's socket. Before start(). Errors: conflict (a
  /// live edge has it), invalid_field (the path is too long for a socket), operation_not_permitted, internal.
  failure open(const std::string& path);
  void stop() override;

private:
  void on_start() override { accept(); }
  void on_stop() override;
  void accept();

  std::string path_;
  boost::asio::local::stream_protocol::acceptor acceptor_{io()};
  boost::asio::steady_timer pause_{io()};
};

/// The node's side: looks into the directory again and again, and links with whoever listens there.
class link_finder final : public link_hub {
public:
  /// `except`: a socket in it that is not for us (of this very process); empty: none.
  explicit link_finder(std::string folder, std::string except = {}) : folder_(std::move(folder)), except_(std::move(except)) {}
  ~link_finder() override { stop(); }
  void stop() override;

private:
  struct place {
    link_id link = 0;
    bool connecting = false;
    int failures = 0;
    std::chrono::steady_clock::time_point again{}, since{};
  };
  void on_start() override { look(); }
  void on_stop() override { timer_.cancel(); }
  void on_lost(link_id link) override;
  void look();
  void connect(const std::string& path);
  static void put_off(place& at);

  std::string folder_, except_;
  std::map<std::string, place> places_;
  boost::asio::steady_timer timer_{io()};
};

} // namespace poseidon
