#include "messages/spec.hpp"

namespace poseidon {

owner_key key_of(const owner_ref& owner) {
  if (owner.team && !owner.team->empty()) return owner_key{"team:" + *owner.team};
  return owner_key{"user:" + owner.user};
}

} // namespace poseidon
