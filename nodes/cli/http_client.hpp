#pragma once
// A small HTTP client for one request at a time, over TCP or a Unix socket.

#include "messages/errors.hpp"
#include "messages/time.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace poseidon::cli {

/// Where a server listens.
struct http_target {
  std::string host, port; ///< TCP
  std::string socket;     ///< path of a Unix socket; then host is only a name
  /// As people write it: "http://127.0.0.1:8080", "unix:/run/poseidon/api.sock".
  std::string text() const;
};
/// Reads "http://host:port", "host:port" or "unix:/path"; bad_request with what is wrong (https is: a proxy's address
/// needs TLS).
outcome<http_target> parse_target(std::string_view text);

struct http_request {
  std::string method = "GET", path = "/", body;
  std::vector<std::pair<std::string, std::string>> headers;
};
struct http_reply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers; ///< names in lower case
  std::string body;
  /// First header of that name (lower case), or "".
  std::string header(std::string_view name) const;
};

/// Sends a request and reads the whole answer, at most 64 MiB. Failures: engine_unavailable when nobody answers there
/// (the detail says why), request_timeout when that took longer than `limit`.
outcome<http_reply> exchange(const http_target& target, const http_request& request, millis limit);

/// Takes a piece of a body as it arrives; false ends the exchange.
using body_sink = std::function<bool(std::string_view piece)>;
/// Like exchange, but a 200's body goes to `sink` piece by piece, however long that takes; other answers are read
/// whole. `limit` holds until the head is there.
outcome<http_reply> stream(const http_target& target, const http_request& request, millis limit, const body_sink& sink);

/// Everything but unreserved characters as %XX.
std::string url_encode(std::string_view text);

} // namespace poseidon::cli
