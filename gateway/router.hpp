#pragma once
// Path to operation. Pure.

#include "gateway/api.hpp"

#include <span>

namespace poseidon::gateway {

struct route_match {
  std::optional<std::size_t> route; ///< index; nothing: no such path, or no such method on it
  std::vector<std::string> params;  ///< decoded
  std::vector<http_method> allowed; ///< methods that the path has; empty: no such path
  bool malformed = false;           ///< the path has a broken % escape
};

/// Compares segment by segment; a literal wins over a parameter. HEAD is served by GET's route.
route_match match_route(std::span<const route> routes, http_method method, std::string_view path);

/// "GET, HEAD, OPTIONS", for Allow.
std::string allow_header(const std::vector<http_method>& methods);

} // namespace poseidon::gateway
