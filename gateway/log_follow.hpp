#pragma once
// ?follow=: a container's output as it grows.

#include "gateway/api.hpp"

namespace poseidon::gateway {

/// What `next` has beyond `before`. Output is bounded at its source: when its start was dropped, the overlap is looked for;
/// without one, all of `next` is new. Pure.
std::string_view new_output(std::string_view before, std::string_view next);

/// Answers with a stream of text that ends with the instance.
void follow_logs(const call& c, read_logs what);

} // namespace poseidon::gateway
