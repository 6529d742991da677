#pragma once
// Whoever makes backups of this process, as the gateway sees him.

#include "actors/caf.hpp"
#include "gateway/commands.hpp"

namespace poseidon::gateway {

struct make_backup {
  using poseidon_message = void;
};
using backup_source = caf::typed_actor<caf::replies_to<make_backup>::with<outcome<backup_bytes>>>;

} // namespace poseidon::gateway
