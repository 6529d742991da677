#pragma once
// Who asks, and what they may. Keys read `psk_<id>_<secret>`; the ledger holds the secret's SHA-256 alone.

#include "gateway/http.hpp"
#include "messages/digest.hpp"
#include "messages/state.hpp"

#include <unordered_map>

namespace poseidon::gateway {

/// What a key allows. `admin` includes all; `platform` includes `read`.
enum class scope : std::uint8_t { none, metrics, read, platform, admin };
POSEIDON_ENUM(scope, none, metrics, read, platform, admin)

/// A set of scopes, closed under inclusion.
struct scope_set {
  std::uint8_t bits = 0;
  void add(scope s);
  bool has(scope s) const { return s == scope::none || (bits & (1u << static_cast<unsigned>(s))) != 0; }
};
scope_set scopes_of(const std::vector<std::string>& names);

/// Whoever sent a request, once authenticated.
struct identity {
  std::string actor; ///< "key:<id>" or "unix:<uid>"
  scope_set scopes;
};

/// A key that was just made: the whole text, shown once, and what the ledger keeps of it.
struct new_key {
  secret token;
  put_key_entry entry;
};
/// Makes a key from random bits.
new_key make_key(random_source& from, const std::vector<std::string>& scopes, const std::string& note, wall_time now);
/// The entry for a key whose text is given (the administrator's, from a file or the environment); nothing when it does not
/// read `psk_<id>_<secret>` with at least 16 characters of secret.
std::optional<put_key_entry> key_from_token(const secret& token, const std::vector<std::string>& scopes, const std::string& note, wall_time now);

/// The parts of `psk_<id>_<secret>`.
struct key_parts {
  std::string_view id, secret_part;
};
std::optional<key_parts> split_key(std::string_view token);

/// Checks requests against the keys of the ledger. One a thread: it keeps what it derived of them.
class authenticator {
public:
  /// Takes over the keys; called when they changed.
  void load(const administration& admin);
  /// The Authorization header, else the peer of a Unix socket: root and the process's own user are administrators.
  outcome<identity> check(const http_request& request) const;
  /// The key of a bearer token; unauthenticated when there is none.
  outcome<identity> check_token(std::string_view token) const;

private:
  struct known_key {
    std::string sha256;
    identity who;
  };
  std::unordered_map<std::string, known_key> keys_;
};

} // namespace poseidon::gateway
