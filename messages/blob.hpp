#pragma once

#include <string>

namespace poseidon {

/// Bytes that are no text: bin in msgpack, base64 in JSON.
struct blob {
  std::string bytes;
  bool empty() const { return bytes.empty(); }
  friend bool operator==(const blob&, const blob&) = default;
};

} // namespace poseidon
