#pragma once
// Registry credentials as a docker config.json holds them. Pure.

#include "messages/errors.hpp"
#include "messages/secret.hpp"

#include <map>
#include <string>

namespace poseidon::engine {

/// One registry's login.
struct registry_login {
  std::string server; ///< as the file spells it, without scheme and path
  std::string user;
  secret password;
  secret identity_token; ///< in place of a password
};

/// Logins by registry ("docker.io" for Docker Hub, whichever way it is spelt).
using registry_logins = std::map<std::string, registry_login>;

/// Reads the `auths` of a config.json. Problems (a broken entry, credential helpers, which are not asked) are added to
/// `problems` and leave the rest usable; never with a secret in them.
registry_logins parse_logins(const std::string& text, std::vector<field_problem>& problems);

/// Value of the X-Registry-Auth header.
secret auth_header(const registry_login& login);

std::string base64_encode(std::string_view bytes, bool url_safe);
/// False when malformed. Takes both alphabets, padded or not.
bool base64_decode(std::string_view text, std::string& bytes);

} // namespace poseidon::engine
