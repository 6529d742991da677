#pragma once
// A configuration file for nats-server: TLS, JetStream, and users that may do what their roles need and no more. Pure.

#include <string>
#include <vector>

namespace poseidon::config {

/// One of the cluster's servers.
struct nats_server_plan {
  std::string name;               ///< of the server, unique
  std::string listen;             ///< host:port for clients
  std::string folder;             ///< where certificates (server.pem, server-key.pem, ca.pem) and the store lie
  std::string cluster_listen;     ///< host:port for the other servers; empty: there are none
  std::vector<std::string> routes; ///< host:port of every server, for each other
  std::string cluster;            ///< Poseidon's
  std::string member, follower;   ///< public nkeys of the two kinds of processes
};

/// Gateways and nodes append to the ledger; edges and notifiers only follow it, and command no node.
std::string nats_server_file(const nats_server_plan& plan);

} // namespace poseidon::config
