#include "nodes/data_plane.hpp"

#include "nodes/probe/socket_probe.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <optional>
#include <thread>

namespace poseidon {

namespace asio = boost::asio;

struct data_plane::parts {
  parts(dialer_process started, const clock& now)
      : time(now), dialer_pid(started.pid), dialer(io, std::move(started.socket)), probe(make_socket_probe(io, dialer)),
        runner([this] { io.run(); }) {}

  const clock& time;
  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{io.get_executor()};
  pid_t dialer_pid;
  dialer_client dialer;
  std::shared_ptr<probe_port> probe;
  edge_table table;
  std::optional<machine_relay> relay;
  std::optional<edge_server> server;
  std::thread runner;
};

data_plane::data_plane(dialer_process dialer, const clock& time) : parts_(std::make_unique<parts>(std::move(dialer), time)) {}

data_plane::~data_plane() { stop(); }

dialer_client& data_plane::dialer() { return parts_->dialer; }
edge_table& data_plane::table() { return parts_->table; }
std::shared_ptr<probe_port> data_plane::probe() const { return parts_->probe; }

outcome<std::vector<edge_options::address>> data_plane::relay(relay_options options, relays_of_machine relays) {
  parts_->relay.emplace(std::move(options), parts_->table, parts_->dialer, parts_->time, std::move(relays));
  return parts_->relay->start();
}

outcome<std::vector<edge_options::address>> data_plane::serve(edge_options options) {
  if (parts_->relay) options.reach = parts_->relay->reach();
  parts_->server.emplace(std::move(options), parts_->table, parts_->dialer, parts_->time);
  return parts_->server->start();
}

void data_plane::stop() {
  if (!parts_->runner.joinable()) return;
  if (parts_->server) parts_->server->stop();
  if (parts_->relay) parts_->relay->stop();
  parts_->dialer.stop();
  parts_->work.reset();
  parts_->runner.join();
  if (parts_->dialer_pid > 0) reap_dialer(parts_->dialer_pid);
}

} // namespace poseidon
