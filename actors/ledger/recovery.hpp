#pragma once
// How a member tells a log that goes on from one that was torn (rule 9). Pure.

#include "actors/fold/fold.hpp"
#include "actors/interfaces.hpp"

namespace poseidon {

/// The last entry folded, as the log had it.
struct last_entry {
  entry_id id;
  wall_time logged_at;
};

enum class log_comparison : std::uint8_t {
  goes_on, ///< the log holds the same entry at the own position
  torn,    ///< gone, or another one: wiped, rolled back, replaced
  unknown, ///< the log does not answer
};

/// Compares what the log answered for the sequence of the own position.
log_comparison compare_log(const last_entry& own, const outcome<logged_entry>& found);

/// True for an entry that begins a valid incarnation after `present`, under rules up to version `newest`.
bool opens_incarnation(const entry& what, std::uint64_t present, std::uint32_t newest = newest_fold_version);

/// Where an entry of the log stands, in the incarnation that is being read.
position place_entry(const logged_entry& found, std::uint64_t present, std::uint32_t newest = newest_fold_version);

/// Set when this entry begins an incarnation after `present` that only a newer Poseidon can read.
failure newer_incarnation(const entry& what, std::uint64_t present, std::uint32_t newest);
/// Set when this entry put rules in force that this process can't fold (rule 12).
failure rules_beyond(const placed_entry& entry, const verdict& judged);

/// The entry body that begins the next incarnation with this state. `seen`: the highest incarnation that the log mentions.
incarnation_entry next_incarnation(const ledger_state& state, std::uint64_t seen, random_id<struct incarnation_tag> nonce);

} // namespace poseidon
