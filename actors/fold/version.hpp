#pragma once
// Versions of the fold's rules (LEDGER.md rule 12).

#include <cstdint>

namespace poseidon {

/// The highest version of the rules that this build can fold.
inline constexpr std::uint32_t newest_fold_version = 1;

} // namespace poseidon
