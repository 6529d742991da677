#pragma once

#include "messages/errors.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace poseidon {

/// The request of an http health check: as small as HTTP/1.1 allows, and the service closes after it.
std::string probe_request(std::string_view path, std::string_view host);

/// Pure: judges the first bytes of an HTTP answer. Nothing while the status line is not complete; a failure with code ok
/// for 2xx and 3xx; never_healthy with the reason else.
std::optional<failure> judge_probe_answer(std::string_view bytes, std::string_view path);

} // namespace poseidon
