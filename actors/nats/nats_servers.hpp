#pragma once

#include "messages/secret.hpp"

#include <string>
#include <vector>

namespace poseidon {

/// Where the servers are, and who asks.
struct nats_servers {
  std::vector<std::string> urls;  ///< nats://HOST:PORT or tls://HOST:PORT
  std::string client;             ///< this process, as the server shows it
  std::string credentials_file;   ///< of a NATS user (.creds); empty: none
  std::string nkey_file;          ///< instead: a user's seed
  std::string user;               ///< instead
  secret password;
  std::string ca_file;            ///< certificates that sign the servers'; empty: the system's
};

} // namespace poseidon
