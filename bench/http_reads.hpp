#pragma once
// A client that reads from the API over a loopback socket and does no more than a benchmark needs.

#include <cstdint>
#include <string>

namespace poseidon::bench {

/// A connected socket, which the caller closes. Throws std::runtime_error.
int connect_to(std::uint16_t port);
/// One whole answer, into `buffer`; its status has to be 200. Throws std::runtime_error.
void read_answer(int socket, std::string& buffer);
/// A GET with this key.
std::string get_request(const std::string& path, const std::string& token);

} // namespace poseidon::bench
