#include "nodes/edge/edge_worker.hpp"

#include "nodes/edge/edge_session.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <chrono>

namespace poseidon {

using boost::system::error_code;
namespace ip = boost::asio::ip;

namespace {

constexpr millis sweep_interval{100};
constexpr millis accept_pause{100}; ///< when descriptors ran out
constexpr int backlog = 4096;

using reuse_port = boost::asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

} // namespace

edge_worker::edge_worker(const edge_shared& shared) : shared_(shared), scratch_(std::make_unique<char[]>(scratch_bytes)) {}

edge_worker::~edge_worker() { stop(); }

std::int64_t edge_worker::now_ms() {
  return std::chrono::duration_cast<millis>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

ip::tcp::endpoint edge_worker::listen(const ip::tcp::endpoint& where) {
  auto at = std::make_unique<door>(io_);
  auto& on = at->acceptor;
  on.open(where.protocol());
  on.set_option(ip::tcp::acceptor::reuse_address{true});
  on.set_option(reuse_port{true});
  if (where.protocol() == ip::tcp::v6()) on.set_option(ip::v6_only{true});
  on.bind(where);
  on.listen(backlog);
  on.non_blocking(true);
  doors_.push_back(std::move(at));
  return doors_.back()->acceptor.local_endpoint();
}

void edge_worker::start() {
  for (const auto& each : doors_) accept(*each);
  sweep();
  thread_ = std::thread{[this] { io_.run(); }};
}

void edge_worker::stop() {
  if (!thread_.joinable()) return;
  boost::asio::post(io_, [this] {
    doors_.clear();
    sweep_timer_.cancel();
    for (auto all = std::exchange(sessions_, {}); auto& [key, session] : all) session->close();
    io_.stop();
  });
  thread_.join();
}

void edge_worker::accept(door& at) {
  at.acceptor.async_accept([this, &at](error_code error, ip::tcp::socket client) {
    if (error == boost::asio::error::operation_aborted) return;
    if (error == boost::asio::error::no_descriptors || error.value() == ENFILE || error.value() == ENOBUFS || error.value() == ENOMEM)
      return accept_later(at);
    if (!error) admit(std::move(client));
    accept(at);
  });
}

void edge_worker::accept_later(door& at) {
  at.pause.expires_after(accept_pause);
  at.pause.async_wait([this, &at](error_code error) {
    if (!error) accept(at);
  });
}

void edge_worker::admit(ip::tcp::socket client) {
  shared_.counters.accepted.fetch_add(1, std::memory_order_relaxed);
  error_code error;
  const auto source = client.remote_endpoint(error).address();
  if (error) return;
  client.non_blocking(true, error);
  const auto entered = shared_.limits.enter(source);
  if (entered != source_limits::entered::yes) {
    // No session, so no memory, for whom there is no room: one try at a reply, and the end.
    shared_.counters.too_many.fetch_add(1, std::memory_order_relaxed);
    const auto text = render(too_many(entered == source_limits::entered::full ? "here" : "from your address"), {}, shared_.time.wall_now());
    ::send(client.native_handle(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::shutdown(client.native_handle(), SHUT_WR);
    return;
  }
  client.set_option(ip::tcp::no_delay{true}, error);
  auto session = std::make_shared<edge_session>(*this, std::move(client), source);
  sessions_.emplace(session.get(), session);
  session->start();
}

void edge_worker::forget(edge_session& session) { sessions_.erase(&session); }

void edge_worker::sweep() {
  const auto now = now_ms();
  // Closing erases from the map: collect first.
  std::vector<std::shared_ptr<edge_session>> late;
  for (const auto& [key, session] : sessions_)
    if (session->expires_at_ms() <= now) late.push_back(session);
  for (const auto& session : late) session->run_out();
  sweep_timer_.expires_after(sweep_interval);
  sweep_timer_.async_wait([this](error_code error) {
    if (!error) sweep();
  });
}

} // namespace poseidon
