#pragma once

#include "messages/errors.hpp"
#include "nodes/edge/edge_options.hpp"
#include "nodes/edge/edge_table.hpp"

#include <memory>

namespace poseidon {

class dialer_client;

/// The data plane: threads that accept, choose the instance by host name, and relay. It needs nothing else to be alive: it
/// serves from its table, and cuts at deadlines by itself.
class edge_server {
public:
  /// `table`, `dialer` and `time` must outlive it; the dialer's io_context is run by others. One server a table.
  edge_server(edge_options options, edge_table& table, dialer_client& dialer, const clock& time);
  ~edge_server();
  edge_server(const edge_server&) = delete;
  edge_server& operator=(const edge_server&) = delete;

  /// Binds every address and starts the threads; returns the addresses in the order of the options, with real ports.
  /// Errors: conflict (an address can't be had).
  outcome<std::vector<edge_options::address>> start();
  /// Closes everything. May be repeated.
  void stop();
  const edge_counters& counters() const;
  /// Connections open now.
  std::size_t connections() const;

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

} // namespace poseidon
