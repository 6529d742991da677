#pragma once
// What a process needs to become a member of a cluster, as one word that can be pasted.

#include "messages/errors.hpp"
#include "messages/secret.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace poseidon::config {

struct join_token {
  std::string cluster;
  std::vector<std::string> nats_urls;
  std::uint32_t replicas = 1;
  std::string nats_user;
  secret nats_password;
  secret nats_credentials; ///< a .creds file's text
  secret nats_seed;        ///< of an nkey
  std::string nats_ca;     ///< certificates, PEM
  secret key;              ///< the cluster key, 64 hex digits
  std::vector<std::string> roles; ///< what a member is to be; none: as its settings say
};

/// Holds secrets: whoever has it is in the cluster.
secret to_word(const join_token& token);
/// bad_request with what is wrong: cut, mistyped, or of a newer Poseidon (conflict).
outcome<join_token> join_token_from(std::string_view word);

/// The settings that a member starts with, as a settings file; `data` is where the token's files lie.
std::string joined_settings(const join_token& token, const std::string& data);

} // namespace poseidon::config
