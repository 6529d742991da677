#pragma once
// Digests, secrets' seal, and the ids made of them. OpenSSL behind it.

#include "messages/errors.hpp"
#include "messages/random.hpp"
#include "messages/secret.hpp"
#include "messages/spec.hpp"


namespace poseidon {

/// SHA-256, 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);
/// HMAC-SHA256, 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);
/// Lower-case hex digits of bytes.
std::string to_hex(std::string_view bytes);
/// Lower-case base32 (RFC 4648 letters, no padding).
std::string to_base32(std::string_view bytes);
/// `size` random bytes.
std::string random_bytes(random_source& from, std::size_t size);
/// Equality in a time that does not tell where the difference is.
bool equal_secrets(std::string_view a, std::string_view b);

/// "sha256:<hex>" of the spec's canonical JSON (codec.hpp).
spec_digest digest_of(const instance_spec& spec);
/// The label in an instance's host name: the first 20 hex digits of HMAC-SHA256(cluster secret, instance id).
std::string host_label(const secret& cluster_secret, const instance_id& instance);

/// Size of the key that seal and open take.
inline constexpr std::size_t seal_key_bytes = 32;
/// Seals a secret under the cluster key (AES-256-GCM, fresh nonce, `context` authenticated: what it was sealed for).
/// internal when the key has another size.
outcome<sealed_secret> seal(const secret& plain, const secret& key, std::string_view context, random_source& from);
/// Opens it; forbidden when key or context differ or a byte was changed.
outcome<secret> open(const sealed_secret& sealed, const secret& key, std::string_view context);

} // namespace poseidon
