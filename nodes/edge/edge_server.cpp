#include "nodes/edge/edge_server.hpp"

#include "nodes/edge/deadline_cutter.hpp"
#include "nodes/edge/edge_worker.hpp"

namespace poseidon {

struct edge_server::parts {
  parts(edge_options given, edge_table& table, dialer_client& dialer, const clock& time)
      : options(std::move(given)), limits(options.connections, options.connections_per_source),
        shared{options, table, dialer, time, limits, counters},
        cutter([&table](const std::string& host, boot_time now) { table.expire(host, now); }) {
    table.on_deadline([this](boot_time due, const std::string& host) { cutter.arm(due, host); });
  }
  ~parts() { shared.table.on_deadline({}); }

  edge_options options;
  source_limits limits;
  edge_counters counters;
  edge_shared shared;
  deadline_cutter cutter;
  std::vector<std::shared_ptr<edge_worker>> workers;
};

edge_server::edge_server(edge_options options, edge_table& table, dialer_client& dialer, const clock& time)
    : parts_(std::make_unique<parts>(std::move(options), table, dialer, time)) {}

edge_server::~edge_server() { stop(); }

outcome<std::vector<edge_options::address>> edge_server::start() {
  namespace ip = boost::asio::ip;
  std::vector<edge_options::address> bound;
  const auto count = std::max(1u, parts_->options.threads);
  for (unsigned i = 0; i < count; ++i) parts_->workers.push_back(std::make_shared<edge_worker>(parts_->shared));
  for (const auto& wanted : parts_->options.listen) {
    try {
      ip::tcp::endpoint where{ip::make_address(wanted.host), wanted.port};
      // SO_REUSEPORT lets the workers share a port, but would let a second process of ours share it too.
      { ip::tcp::acceptor nobody_else{parts_->workers.front()->io(), where, true}; }
      // The first says which port it is.
      for (const auto& worker : parts_->workers) where = worker->listen(where);
      bound.push_back({where.address().to_string(), where.port()});
    } catch (const boost::system::system_error& error) {
      parts_->workers.clear();
      return failure{errc::conflict, "edge: can't listen on " + wanted.host + " port " + std::to_string(wanted.port) + ": " +
                                         error.code().message(), {}, {}, {}};
    }
  }
  for (const auto& worker : parts_->workers) worker->start();
  return bound;
}

void edge_server::stop() {
  for (const auto& worker : parts_->workers) worker->stop();
}

const edge_counters& edge_server::counters() const { return parts_->counters; }

std::size_t edge_server::connections() const { return parts_->limits.size(); }

} // namespace poseidon
