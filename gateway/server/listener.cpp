#include "gateway/server/listener.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <charconv>
#include <filesystem>
#include <stdexcept>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace poseidon::gateway {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using local = asio::local::stream_protocol;

constexpr std::chrono::milliseconds accept_pause{100};

[[noreturn]] void fail(const std::string& address, const std::string& reason) {
  throw std::runtime_error("cannot listen on " + address + ": " + reason);
}

peer_info describe_peer(const tcp::socket&, const tcp::endpoint& remote) {
  peer_info peer;
  peer.address = remote.address().to_string();
  return peer;
}

peer_info describe_peer(local::socket& socket, const local::endpoint&) {
  peer_info peer;
  peer.unix_socket = true;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  bool known = ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0;
  peer.uid = known ? credentials.uid : static_cast<std::uint32_t>(-1);
  return peer;
}

void tune(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
}
void tune(local::socket&) {}

template <class Protocol>
class acceptor final : public listener {
public:
  using socket_type = typename Protocol::socket;
  acceptor(std::vector<std::shared_ptr<io_thread>> targets, std::string remove_at_close)
      : targets_(std::move(targets)), accepting_(targets_.front()->context()), path_(std::move(remove_at_close)) {}
  ~acceptor() override { close(); }

  typename Protocol::acceptor& socket() { return accepting_; }
  void start() override { accept(); }
  void close() override {
    if (!accepting_.is_open()) return;
    error_code ignored;
    accepting_.close(ignored);
    if (!path_.empty()) ::unlink(path_.c_str());
  }

private:
  void accept() {
    auto& target = *targets_[next_++ % targets_.size()];
    accepting_.async_accept(target.context(), remote_, [this, &target](error_code ec, socket_type socket) {
      if (ec == asio::error::operation_aborted || !accepting_.is_open()) return;
      if (ec) { // out of descriptors: waiting is all there is to do
        targets_.front()->after(accept_pause, [this] {
          if (accepting_.is_open()) accept();
        });
        return;
      }
      hand_over(target, std::move(socket));
      accept();
    });
  }

  void hand_over(io_thread& target, socket_type socket) {
    if (!target.connections().add(target.limits().connections)) return;
    tune(socket);
    auto peer = describe_peer(socket, remote_);
    if (&target == targets_.front().get()) return start_session(target, stream_socket(std::move(socket)), std::move(peer));
    auto moved = std::make_shared<stream_socket>(std::move(socket));
    target.post([&target, moved, peer = std::move(peer)] { start_session(target, std::move(*moved), peer); });
  }

  std::vector<std::shared_ptr<io_thread>> targets_;
  typename Protocol::acceptor accepting_;
  typename Protocol::endpoint remote_;
  std::string path_;
  std::size_t next_ = 0;
};

void bind_tcp(tcp::acceptor& acceptor, const tcp::endpoint& where, bool shared, const std::string& name) {
  error_code ec;
  acceptor.open(where.protocol(), ec);
  if (ec) fail(name, ec.message());
  acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (where.protocol() == tcp::v6()) acceptor.set_option(asio::ip::v6_only(true), ec);
  if (shared) acceptor.set_option(asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>(true), ec);
  acceptor.bind(where, ec);
  if (ec) fail(name, ec.message());
}

/// Finds a free port, or makes sure that nobody else listens on the one asked for.
std::uint16_t claim_port(const tcp::endpoint& where, const std::string& name) {
  asio::io_context context;
  tcp::acceptor probe(context);
  bind_tcp(probe, where, false, name);
  error_code ec;
  probe.listen(1, ec);
  if (ec) fail(name, ec.message());
  return probe.local_endpoint().port();
}

bool socket_is_live(const std::string& path) {
  asio::io_context context;
  local::socket probe(context);
  error_code ec;
  probe.connect(local::endpoint(path), ec);
  return !ec;
}

} // namespace

listen_target parse_listen(const std::string& text) {
  listen_target target;
  if (text.starts_with("unix:")) {
    target.unix_socket = true;
    target.path = text.substr(text.starts_with("unix://") ? 7 : 5);
    if (target.path.empty()) fail(text, "a path is missing after unix:");
    return target;
  }
  auto colon = text.rfind(':');
  if (colon == std::string::npos) fail(text, "expected HOST:PORT, [IPV6]:PORT or unix:/path");
  target.host = text.substr(0, colon);
  if (target.host.size() > 2 && target.host.front() == '[' && target.host.back() == ']')
    target.host = target.host.substr(1, target.host.size() - 2);
  auto digits = std::string_view(text).substr(colon + 1);
  auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), target.port);
  if (ec != std::errc{} || end != digits.data() + digits.size()) fail(text, "the port is not a number from 0 to 65535");
  return target;
}

std::vector<std::unique_ptr<listener>> listen_tcp(const listen_target& target, const std::vector<std::shared_ptr<io_thread>>& threads,
                                                  bound_address& bound) {
  auto name = target.host + ":" + std::to_string(target.port);
  error_code ec;
  auto address = asio::ip::make_address(target.host == "localhost" ? "127.0.0.1" : target.host, ec);
  if (ec) fail(name, "the host is not an IPv4 or IPv6 address");
  tcp::endpoint where(address, target.port);
  where.port(claim_port(where, name));
  std::vector<std::unique_ptr<listener>> result;
  for (auto& thread : threads) {
    auto one = std::make_unique<acceptor<tcp>>(std::vector{thread}, "");
    bind_tcp(one->socket(), where, true, name);
    one->socket().listen(tcp::acceptor::max_listen_connections, ec);
    if (ec) fail(name, ec.message());
    result.push_back(std::move(one));
  }
  bound.host = target.host;
  bound.port = where.port();
  bound.url = "http://" + (address.is_v6() ? "[" + target.host + "]" : target.host) + ":" + std::to_string(bound.port);
  return result;
}

std::unique_ptr<listener> listen_unix(const listen_target& target, unsigned mode, const std::vector<std::shared_ptr<io_thread>>& threads,
                                      bound_address& bound) {
  auto name = "unix:" + target.path;
  if (target.path.size() >= sizeof(sockaddr_un::sun_path)) fail(name, "the path is longer than 107 bytes");
  std::error_code failed;
  if (std::filesystem::is_socket(target.path, failed)) {
    if (socket_is_live(target.path)) fail(name, "another process listens there");
    ::unlink(target.path.c_str());
  }
  auto one = std::make_unique<acceptor<local>>(threads, target.path);
  error_code ec;
  auto& socket = one->socket();
  socket.open(local(), ec);
  auto before = ::umask(0777 & ~mode); // the file must never be more open than asked, not even for a moment
  if (!ec) socket.bind(local::endpoint(target.path), ec);
  ::umask(before);
  if (!ec) socket.listen(local::acceptor::max_listen_connections, ec);
  if (ec) fail(name, ec.message());
  bound.url = name;
  return one;
}

} // namespace poseidon::gateway
