#pragma once
// NATS users that prove themselves by a signature: an Ed25519 key, spelled as NATS tools spell it. OpenSSL behind it.

#include "messages/errors.hpp"
#include "messages/random.hpp"
#include "messages/secret.hpp"

#include <string>
#include <string_view>

namespace poseidon {

/// A new user's secret: "SU" and 56 more letters and digits.
secret make_nkey_seed(random_source& from);
/// What the server knows of that user: "U" and 55 more. invalid_field when it is no user's seed; white space around it is fine.
outcome<std::string> public_nkey(std::string_view seed);

} // namespace poseidon
