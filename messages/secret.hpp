#pragma once

#include <string>
#include <utility>

namespace poseidon {

/// A value that must not leak: JSON shows "***", logs and events never see it; msgpack carries it (journal, bus) as it is.
/// Reveal it on purpose, at the place of use.
class secret {
public:
  secret() = default;
  explicit secret(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  friend bool operator==(const secret&, const secret&) = default;

private:
  std::string value_;
};

/// A secret under the cluster key (AES-256-GCM: nonce, ciphertext, tag); safe in the ledger.
struct sealed_secret {
  std::string bytes;
  friend bool operator==(const sealed_secret&, const sealed_secret&) = default;
};

} // namespace poseidon
