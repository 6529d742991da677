#include "nodes/edge/machine_relay.hpp"

#include "nodes/edge/relay_leading.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

namespace poseidon {

namespace asio = boost::asio;

namespace {

constexpr int backlog = 1024;

} // namespace

edge_options::address machine_relay::parts::listen(const edge_options::address& wanted) {
  const auto at = std::make_shared<door>(io);
  const tcp::endpoint where{asio::ip::make_address(wanted.host), wanted.port};
  at->acceptor.open(where.protocol());
  at->acceptor.set_option(tcp::acceptor::reuse_address{true});
  at->acceptor.bind(where);
  at->acceptor.listen(backlog);
  doors.push_back(at);
  const auto bound = at->acceptor.local_endpoint();
  return {bound.address().to_string(), bound.port()};
}

machine_relay::machine_relay(relay_options options, const edge_table& table, dialer_client& dialer, const clock& time, relays_of_machine relays)
    : parts_(std::make_shared<parts>(std::move(options), table, dialer, time, std::move(relays))) {}

machine_relay::~machine_relay() { stop(); }

outcome<std::vector<edge_options::address>> machine_relay::start() {
  std::vector<edge_options::address> bound;
  for (const auto& wanted : parts_->options.listen) {
    try {
      bound.push_back(parts_->listen(wanted));
    } catch (const boost::system::system_error& error) {
      parts_->doors.clear();
      return failure{errc::conflict, "edge: can't listen on " + wanted.host + " port " + std::to_string(wanted.port) + " for other edges: " +
                                         error.code().message(), {}, {}, {}};
    }
  }
  for (const auto& each : parts_->doors) parts_->accept(each);
  for (unsigned i = 0; i < std::max(1u, parts_->options.threads); ++i)
    parts_->threads.emplace_back([held = parts_.get()] { held->io.run(); });
  return bound;
}

void machine_relay::stop() {
  // Streams hang on the io_context: they end with it.
  parts_->work.reset();
  parts_->io.stop();
  for (auto& each : parts_->threads) each.join();
  parts_->threads.clear();
}

reach_elsewhere machine_relay::reach() {
  return [weak = std::weak_ptr<parts>{parts_}](const route& to, const std::string& client, millis limit, std::function<void(outcome<led_stream>)> done) {
    const auto held = weak.lock();
    if (!held || held->io.stopped()) return done(failure{errc::shutting_down, "the edge ends", {}, {}, {}});
    peer_request wanted{peer_version, to.host, to.instance, to.epoch, client};
    const auto addresses = held->relays ? held->relays(to.machine) : std::vector<std::string>{};
    const auto strand = asio::make_strand(held->io);
    const auto attempt = std::make_shared<relay_attempt>(strand, held->tls.client(), std::move(wanted), addresses,
                                                         held->options.idle_timeout, std::move(done));
    asio::post(strand, [attempt, limit] { attempt->begin(limit); });
  };
}

const relay_counters& machine_relay::counters() const { return parts_->counters; }

} // namespace poseidon
