#pragma once
// Players reach instances of other machines through the edge there; see docs/architecture.md.

#include "messages/secret.hpp"
#include "nodes/edge/edge_options.hpp"
#include "nodes/edge/edge_table.hpp"

#include <memory>

namespace poseidon {

class dialer_client;

struct relay_options {
  std::vector<edge_options::address> listen; ///< none: this machine's instances are not to be had from others
  machine_id machine;
  secret cluster_key;
  unsigned threads = 1;
  millis handshake_timeout{5'000}; ///< of a stranger, until its request is there
  millis connect_timeout{5'000};   ///< to an instance
  millis idle_timeout{600'000};
  std::size_t connections = 20'000; ///< taken from other edges at once
  std::size_t connections_per_instance = 1'024;
};

/// Where the edges of a machine take connections from others, "host:port" each; none: not known. Thread-safe, does not block.
using relays_of_machine = std::function<std::vector<std::string>(const machine_id&)>;

struct relay_counters {
  std::atomic<std::uint64_t> accepted = 0, refused = 0, led = 0;
};

/// Both halves: takes connections from other machines' edges to instances here, and leads players to instances there. Both sides
/// prove that they hold the cluster's key.
class machine_relay {
public:
  /// `table`, `dialer` and `time` must outlive it; the dialer's io_context is run by others.
  machine_relay(relay_options options, const edge_table& table, dialer_client& dialer, const clock& time, relays_of_machine relays);
  ~machine_relay();
  machine_relay(const machine_relay&) = delete;
  machine_relay& operator=(const machine_relay&) = delete;

  /// Binds and starts the threads; the addresses with their real ports. Errors: conflict (an address can't be had).
  outcome<std::vector<edge_options::address>> start();
  /// Closes everything. May be repeated.
  void stop();
  /// For edge_options::reach; answers on any thread, exactly once, until stop(). Errors: not_found (no edge there is known, or it
  /// does not know that copy), service_died, instance_not_running, request_timeout, capacity_exhausted.
  reach_elsewhere reach();
  const relay_counters& counters() const;

private:
  struct parts;
  std::shared_ptr<parts> parts_;
};

} // namespace poseidon
