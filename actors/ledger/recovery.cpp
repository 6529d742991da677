#include "actors/ledger/recovery.hpp"

#include "actors/fold/snapshot.hpp"

#include <algorithm>

namespace poseidon {

log_comparison compare_log(const last_entry& own, const outcome<logged_entry>& found) {
  if (!found) return found.error.code == errc::not_found ? log_comparison::torn : log_comparison::unknown;
  if (found->logged_at != own.logged_at) return log_comparison::torn;
  // A damaged entry at the right time is still the same log.
  return !found->what || found->what->id == own.id ? log_comparison::goes_on : log_comparison::torn;
}

bool opens_incarnation(const entry& what, std::uint64_t present, std::uint32_t newest) {
  const auto* opening = std::get_if<incarnation_entry>(&what.body);
  if (!opening || opening->number <= present) return false;
  return opening->snapshot.empty() || decode_snapshot(opening->snapshot.bytes, opening->snapshot_digest, newest).ok();
}

position place_entry(const logged_entry& found, std::uint64_t present, std::uint32_t newest) {
  if (opens_incarnation(*found.what, present, newest)) return {std::get<incarnation_entry>(found.what->body).number, found.sequence};
  return {present, found.sequence};
}

failure newer_incarnation(const entry& what, std::uint64_t present, std::uint32_t newest) {
  const auto* opening = std::get_if<incarnation_entry>(&what.body);
  if (!opening || opening->number <= present || opening->snapshot.empty()) return {};
  auto decoded = decode_snapshot(opening->snapshot.bytes, opening->snapshot_digest, newest);
  return !decoded && decoded.error.code == errc::conflict ? decoded.error : failure{};
}

failure rules_beyond(const placed_entry& entry, const verdict& judged) {
  const bool refused = judged.kind == verdict_kind::refused && std::holds_alternative<activate_entry>(entry.what->body);
  return refused ? judged.why : failure{};
}

incarnation_entry next_incarnation(const ledger_state& state, std::uint64_t seen, random_id<struct incarnation_tag> nonce) {
  incarnation_entry next;
  next.number = std::max(state.at.incarnation, seen) + 1;
  next.nonce = nonce;
  if (state.at.incarnation == 0) return next; // a new ledger
  auto snapshot = encode_snapshot(state);
  next.snapshot.bytes = std::move(snapshot.bytes);
  next.snapshot_digest = std::move(snapshot.digest);
  return next;
}

} // namespace poseidon
