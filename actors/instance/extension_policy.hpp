#pragma once
// Whether a player may have more time. Pure; the same answer from a journal record and from a ledger row.

#include "messages/errors.hpp"
#include "messages/spec.hpp"
#include "messages/time.hpp"

namespace poseidon {

/// What the policy looks at. The span is what the instance has been given so far: its lifetime and earlier extensions.
struct extension_request {
  millis remaining{0};            ///< until the deadline
  millis used{0};                 ///< sum of earlier extensions
  std::uint32_t load_percent = 0; ///< of the node
};

struct extension_decision {
  bool allowed = false;
  millis step{0};                ///< what the deadline moves by, when allowed
  std::optional<millis> next_in; ///< refused, but allowed after this long, unless something else changes
  std::string reason;            ///< of the refusal
};

/// Judges one extension: a step at a time, allowed once `after_percent` of the span has passed, `max` in sum (the last step
/// may be shorter), refused while the node's load is at or above the challenge's bound.
extension_decision decide_extension(const instance_spec& spec, const extension_request& request);

/// The refusal in words, for the client.
failure extension_failure(const extension_decision& refused);

} // namespace poseidon
