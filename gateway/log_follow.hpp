#pragma once
// ?follow=: a container's output as it comes.

#include "gateway/api.hpp"

namespace poseidon::gateway {

/// Answers with a stream of text that ends with the instance. A client that reads slowly holds up the container's engine, not
/// this process: no more is under way than log_window. A stream that breaks off ends with a line that says why.
void follow_logs(const call& c, read_logs what);

} // namespace poseidon::gateway
