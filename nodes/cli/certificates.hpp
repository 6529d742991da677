#pragma once
// A certificate authority of the cluster's own, and what it signs for NATS servers. OpenSSL behind it.

#include "messages/errors.hpp"
#include "messages/secret.hpp"

#include <string>
#include <vector>

namespace poseidon::cli {

/// PEM.
struct certified_key {
  std::string certificate;
  secret key;
};

/// A new authority named after the cluster, good for ten years. internal where OpenSSL fails.
outcome<certified_key> make_authority(const std::string& cluster);
/// A server's certificate for these host names and addresses, signed by the authority, good for ten years. invalid_field for an
/// unusable authority.
outcome<certified_key> make_server_certificate(const certified_key& authority, const std::vector<std::string>& hosts);

} // namespace poseidon::cli
