#pragma once
// What a request to a receiver looks like. Pure.

#include "actors/notifier/delivery_table.hpp"
#include "messages/secret.hpp"

namespace poseidon {

/// "https://host:port/path?query", in its parts.
struct webhook_address {
  bool secure = true;
  std::string host;   ///< an IPv6 address without its brackets
  std::string port;
  std::string target; ///< path and query
  std::string authority() const; ///< for the Host header
};
/// bad_request when it is none.
outcome<webhook_address> parse_webhook_address(const std::string& url);

/// "t=<unix seconds>,v1=<hex HMAC-SHA256(key, "<t>.<body>")>"
std::string sign_webhook(const secret& key, wall_time now, std::string_view body);

struct webhook_request {
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};
/// The event itself, signed.
webhook_request webhook_request_of(const delivery_attempt& what, const secret& key, wall_time now);
/// An embed for Discord; internal when the event is no JSON.
webhook_request discord_request_of(const delivery_attempt& what);

/// Addresses that a cloud keeps for itself: link-local ones, its metadata service among them. Text as an address prints.
bool is_forbidden_address(std::string_view address);

/// How long a receiver wants to be left alone: Retry-After in seconds (Discord's have a fraction); nothing when it does not say.
std::optional<millis> parse_retry_after(std::string_view text);

} // namespace poseidon
