#include "nodes/edge_link/link_doors.hpp"

#include <spdlog/spdlog.h>

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace poseidon {

namespace asio = boost::asio;
using boost::system::error_code;
using local = asio::local::stream_protocol;

namespace {

constexpr millis look_interval{200}, accept_pause{100}, longest_pause{5'000};
constexpr int listen_backlog = 64;

failure told(errc code, std::string detail) { return {code, std::move(detail), {}, {}, {}}; }

bool answers(asio::io_context& io, const local::endpoint& where) {
  local::socket probe{io};
  error_code error;
  probe.connect(where, error);
  return !error;
}

} // namespace

bool links_with_others(const config::settings& settings) {
  const bool all_here = settings.has(config::role::node) && settings.has(config::role::edge);
  return !all_here || !settings.nats.urls.empty();
}

std::string link_folder(const std::string& link_dir, const std::string& cluster) { return link_dir + "/" + cluster; }
std::string link_socket(const std::string& folder, const std::string& name) { return folder + "/" + name + ".sock"; }

failure link_door::open(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return told(errc::invalid_field, "edge: " + path + " is too long a path for a socket: set edge.link_dir to a shorter one");
  const local::endpoint where{path};
  error_code error;
  acceptor_.open(where.protocol(), error);
  if (!error) acceptor_.bind(where, error);
  if (error == asio::error::address_in_use) {
    if (answers(io(), where)) return told(errc::conflict, "edge: another edge process listens on " + path + ": give one of them another name (node)");
    ::unlink(path.c_str()); // of an edge that was killed
    error.clear();
    acceptor_.bind(where, error);
  }
  if (!error && ::chmod(path.c_str(), 0660) != 0) error = {errno, boost::system::system_category()};
  if (!error) acceptor_.listen(listen_backlog, error);
  if (!error) {
    path_ = path;
    return {};
  }
  const bool denied = error.value() == EACCES || error.value() == EPERM || error.value() == EROFS;
  return told(denied ? errc::operation_not_permitted : errc::internal, "edge: can't listen on " + path + " for nodes: " + error.message());
}

void link_door::stop() { link_hub::stop(); }

void link_door::on_stop() {
  error_code ignored;
  pause_.cancel();
  acceptor_.close(ignored);
  if (!path_.empty()) ::unlink(path_.c_str());
}

void link_door::accept() {
  acceptor_.async_accept([this](error_code error, local::socket peer) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      adopt(std::move(peer));
      return accept();
    }
    pause_.expires_after(accept_pause); // out of descriptors
    pause_.async_wait([this](error_code cancelled) {
      if (!cancelled) accept();
    });
  });
}

void link_finder::stop() { link_hub::stop(); }

void link_finder::look() {
  std::error_code error;
  std::set<std::string> there;
  for (auto at = std::filesystem::directory_iterator{folder_, error}; !error && at != std::filesystem::directory_iterator{}; at.increment(error))
    if (at->path().extension() == ".sock" && at->path() != except_) there.insert(at->path().string());
  std::erase_if(places_, [&](const auto& each) { return each.second.link == 0 && !each.second.connecting && !there.contains(each.first); });
  const auto now = std::chrono::steady_clock::now();
  for (const auto& path : there)
    if (auto& at = places_[path]; at.link == 0 && !at.connecting && at.again <= now) connect(path);
  timer_.expires_after(look_interval);
  timer_.async_wait([this](error_code cancelled) {
    if (!cancelled) look();
  });
}

void link_finder::connect(const std::string& path) {
  auto& at = places_[path];
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return put_off(at);
  at.connecting = true;
  const auto peer = std::make_shared<local::socket>(io());
  peer->async_connect(local::endpoint{path}, [this, path, peer](error_code error) {
    if (error == asio::error::operation_aborted) return;
    auto& place = places_[path];
    place.connecting = false;
    place.since = std::chrono::steady_clock::now();
    if (error) return; // nobody listens: left by an edge that was killed, or not there yet
    place.link = adopt(std::move(*peer));
    if (place.link == 0) put_off(place);
  });
}

void link_finder::on_lost(link_id link) {
  for (auto& [path, at] : places_) {
    if (at.link != link) continue;
    at.link = 0;
    if (std::chrono::steady_clock::now() - at.since > longest_pause) at.failures = 0; // it was a good one
    put_off(at);
  }
}

void link_finder::put_off(place& at) {
  const auto pause = std::min(longest_pause, look_interval * (1 << std::min(at.failures++, 10)));
  at.again = std::chrono::steady_clock::now() + pause;
}

} // namespace poseidon
