// The half of machine_relay that takes connections from other machines' edges.

#include "nodes/dialer/dialer_client.hpp"
#include "nodes/edge/relay_parts.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

namespace poseidon {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr millis accept_pause{100}, answer_limit{5'000};

/// One of the connections that are counted, while it exists.
class counted {
public:
  explicit counted(std::atomic<std::size_t>& count) : count_(count) { ++count_; }
  ~counted() { --count_; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;

private:
  std::atomic<std::size_t>& count_;
};

peer_status status_of(const failure& why) {
  switch (why.code) {
  case errc::service_died: return peer_status::gone;
  case errc::capacity_exhausted: return peer_status::busy;
  default: return peer_status::unreachable;
  }
}

} // namespace

void machine_relay::parts::accept(const std::shared_ptr<door>& at) {
  at->acceptor.async_accept(asio::make_strand(io), [this, at](error_code error, tcp::socket peer) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      greet(std::move(peer));
      return accept(at);
    }
    at->pause.expires_after(accept_pause); // out of descriptors
    at->pause.async_wait([this, at](error_code cancelled) {
      if (!cancelled) accept(at);
    });
  });
}

void machine_relay::parts::greet(tcp::socket peer) {
  counters.accepted.fetch_add(1, std::memory_order_relaxed);
  if (taken.load(std::memory_order_relaxed) >= options.connections) {
    counters.refused.fetch_add(1, std::memory_order_relaxed);
    return; // closed
  }
  const auto place = std::make_shared<counted>(taken);
  const auto stream = std::make_shared<peer_stream>(peer.get_executor(), tls.server(), peer_stream::side::instance);
  stream->socket() = std::move(peer);
  stream->hold(place);
  stream->handshake(options.handshake_timeout, [this, stream](bool fine) {
    if (!fine || !peer_tls::proved(stream->ssl())) {
      counters.refused.fetch_add(1, std::memory_order_relaxed);
      return stream->close();
    }
    stream->read_frame(options.handshake_timeout, [this, stream](std::optional<std::string> bytes) {
      if (!bytes) return stream->close();
      on_request(stream, *bytes);
    });
  });
}

void machine_relay::parts::on_request(const peer_stream_ptr& stream, const std::string& bytes) {
  const auto wanted = decode_peer_request(bytes);
  if (!wanted) return stream->close();
  const auto route = table.find(wanted->host);
  const auto verdict = judge(*wanted, route, options.machine, time.boot_now(), time.wall_now());
  if (verdict.status != peer_status::ok) return refuse(stream, verdict);
  const auto& where = route->entry.route.where;
  dialer.async_connect(where, where.port, options.connect_timeout, [this, self = shared_from_this(), stream, route](outcome<unique_fd> got) {
    auto held = std::make_shared<outcome<unique_fd>>(std::move(got)); // handlers are copied
    asio::post(stream->executor(), [this, stream, route, held] { on_dialed(stream, route, std::move(*held)); });
  });
}

void machine_relay::parts::on_dialed(const peer_stream_ptr& stream, const edge_route_ptr& route, outcome<unique_fd> got) {
  if (!got) return refuse(stream, {peer_version, status_of(got.error), got.error.detail});
  if (!stream->socket().is_open()) return;
  auto& link = stream->link();
  link.client = stream->socket().native_handle();
  link.instance = got->get();
  switch (route->connections->join(link, options.connections_per_instance)) {
  case connection_set::joined::closed: return refuse(stream, {peer_version, peer_status::gone, "it ended"});
  case connection_set::joined::full: return refuse(stream, {peer_version, peer_status::busy, "too many connections to this instance"});
  case connection_set::joined::yes: break;
  }
  stream->joined(route->connections);
  const auto plain = std::make_shared<unique_fd>(std::move(*got));
  stream->send_frame(encode(peer_answer{}), answer_limit, [this, stream, plain](bool sent) {
    if (!sent) return stream->close();
    counters.led.fetch_add(1, std::memory_order_relaxed);
    stream->lead(std::move(*plain), options.idle_timeout, nullptr, {});
  });
}

void machine_relay::parts::refuse(const peer_stream_ptr& stream, const peer_answer& why) {
  counters.refused.fetch_add(1, std::memory_order_relaxed);
  // Read until the other side closes: closing first could reset the connection, and the answer with it.
  stream->send_frame(encode(why), answer_limit, [stream](bool sent) {
    if (!sent) return stream->close();
    stream->read_frame(answer_limit, [stream](std::optional<std::string>) { stream->close(); });
  });
}

} // namespace poseidon
