#pragma once
// The state as bytes: canonical (the same state gives the same bytes everywhere), with the digest that proves it.

#include "actors/fold/state.hpp"

namespace poseidon {

struct encoded_snapshot {
  std::string bytes;  ///< msgpack
  std::string digest; ///< SHA-256 of the bytes, 64 hex digits
};

/// Encodes the whole state. Reads rows only: a copy of the state may be encoded elsewhere while the original folds on.
encoded_snapshot encode_snapshot(const ledger_state& state);
/// bad_request: no snapshot, or damaged (the digest differs); conflict: written by a newer Poseidon, or of rules beyond `newest`.
outcome<ledger_state> decode_snapshot(std::string_view bytes, std::string_view digest, std::uint32_t newest = newest_fold_version);

} // namespace poseidon
