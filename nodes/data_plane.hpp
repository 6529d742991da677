#pragma once
// What reaches into instances: the dialer's client on a thread of its own, the edge's table and server, the real probe.

#include <utility>

#include "actors/probe/probe_port.hpp"
#include "nodes/dialer/dialer.hpp"
#include "nodes/dialer/dialer_client.hpp"
#include "nodes/edge/edge_server.hpp"
#include "nodes/edge/machine_relay.hpp"

#include <memory>

namespace poseidon {

class data_plane {
public:
  /// `time` outlives it. The dialer ends with this object.
  data_plane(dialer_process dialer, const clock& time);
  ~data_plane();
  data_plane(const data_plane&) = delete;
  data_plane& operator=(const data_plane&) = delete;

  dialer_client& dialer();
  edge_table& table();
  std::shared_ptr<probe_port> probe() const;
  /// Takes connections from other machines' edges, and leads players to instances there; before serve(). Errors: as machine_relay::start.
  outcome<std::vector<edge_options::address>> relay(relay_options options, relays_of_machine relays);
  /// Binds and serves; the bound addresses. Errors: as edge_server::start.
  outcome<std::vector<edge_options::address>> serve(edge_options options);
  /// Stops serving players, then the dialer; may be repeated.
  void stop();

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

} // namespace poseidon
