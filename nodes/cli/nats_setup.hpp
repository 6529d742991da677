#pragma once
// What a cluster needs of NATS, made here: an authority for certificates, a user for each kind of process, and a configuration
// for each server.

#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "messages/secret.hpp"
#include "nodes/cli/certificates.hpp"

#include <optional>

namespace poseidon::cli {

/// Kept in the DATA where the cluster was initialised (nats-authority.json, 0600), and nowhere else.
struct nats_authority {
  certified_key signer;
  secret member, follower; ///< seeds: of gateways and nodes; of edges and notifiers
};

/// nats-authority.json of this DATA; nothing where there is none.
outcome<std::optional<nats_authority>> read_nats_authority(const std::string& data);
/// The same, made and written where there is none.
outcome<nats_authority> read_or_make_nats_authority(const std::string& data, const std::string& cluster);

/// Writes nats-server.conf and certificates for each server of `urls`: into `folder`, or where there are several into
/// `folder`/1, /2, … in their order. The files name `folder` as their place, so it is to be the same on the servers'
/// machines. The folders written. invalid_field: an address that no server can listen on.
outcome<std::vector<std::string>> write_server_files(const nats_authority& authority, const std::string& cluster, const std::vector<std::string>& urls,
                                                     const std::string& folder);

/// How many of so many servers keep a copy of the log: an odd number, so that each one more survives the loss of one more; at most five.
std::uint32_t usual_replicas(std::size_t servers);

/// True when every one of them only follows the ledger.
bool only_follow(const std::vector<std::string>& roles);

} // namespace poseidon::cli
