#pragma once
// The way to receivers over HTTP and HTTPS.

#include "actors/notifier/notifier.hpp"
#include "messages/secret.hpp"

namespace poseidon {

/// A receiver's address and key.
struct webhook_target {
  std::string name;
  receiver_kind kind = receiver_kind::webhook;
  secret url, key;
};

struct http_webhooks_options {
  std::vector<webhook_target> targets;
  millis timeout{10'000}; ///< of one request, from the name's look-up to the answer's head
  std::string ca;         ///< file of certificates, beside the system's; may be empty
  std::shared_ptr<const clock> time;
};

/// A thread a receiver: one that hangs, its name server included, holds up no other. Redirects are answers, not followed;
/// of a refusal's body only the beginning is read. Link-local addresses are refused (forbidden). Errors: bad_request for an
/// address that is none, invalid_field for a CA file that can't be read.
outcome<std::shared_ptr<webhook_port>> make_http_webhooks(http_webhooks_options options);

} // namespace poseidon
