// Snapshots, so that a start is short; forgetting, so that nothing grows for ever.

#include "actors/kit/ask.hpp"
#include "actors/ledger/ledger_core.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr millis save_timeout{120'000}, read_timeout{10'000}, trim_timeout{120'000};

tail_snapshot_ptr encode(const ledger_state& copy, const last_entry& last) {
  auto encoded = encode_snapshot(copy);
  auto snapshot = std::make_shared<tail_snapshot>();
  snapshot->at = copy.at;
  snapshot->last = last.id;
  snapshot->logged_at = last.logged_at;
  snapshot->bytes = std::move(encoded.bytes);
  snapshot->digest = std::move(encoded.digest);
  return snapshot;
}

/// Encodes a copy of the state beside the ledger, which folds on meanwhile.
void encode_beside(caf::event_based_actor*, const std::shared_ptr<const ledger_state>& copy, const last_entry& last,
                   const ledger_front& front) {
  caf::anon_send(front, snapshot_made{encode(*copy, last)});
}

/// The same for somebody else; answers once.
snapshot_source::behavior_type encode_once(snapshot_source::pointer self, const std::shared_ptr<const ledger_state>& copy,
                                           const last_entry& last) {
  return {[self, copy, last](const take_snapshot&) -> outcome<tail_snapshot_ptr> {
    self->quit();
    return encode(*copy, last);
  }};
}

} // namespace

void ledger_core::make_snapshot() {
  // While something is missing from the log, the tail has to go back to before it was torn: from there the list is made again.
  if (making_snapshot || since_snapshot < deps.options.snapshot_every || !missing.empty()) return;
  making_snapshot = true;
  since_snapshot = 0;
  self->spawn(encode_beside, std::make_shared<const ledger_state>(state), last, ledger_front{self});
}

void ledger_core::save(const snapshot_made& m) {
  ask(
      self, deps.tail, save_timeout, save_tail_snapshot{m.snapshot},
      [this, at = m.snapshot->at](done) {
        making_snapshot = false;
        if (untrimmed.incarnation == at.incarnation && untrimmed <= at) trim();
      },
      [this](const failure& why) {
        spdlog::error("ledger: no snapshot could be saved: {}", why.detail);
        making_snapshot = false;
      });
}

caf::result<outcome<tail_snapshot_ptr>> ledger_core::snapshot_for(const take_snapshot& m) {
  if (!ready || state.at.incarnation == 0)
    return outcome<tail_snapshot_ptr>{failure{errc::ledger_unavailable, "the ledger is not there yet", 1'000, {}, {}}};
  return self->delegate(self->spawn(encode_once, std::make_shared<const ledger_state>(state), last), m);
}

void ledger_core::trim() {
  const auto before = std::exchange(untrimmed, {}).sequence;
  ask(
      self, deps.log, trim_timeout, trim_log{before}, [](done) {},
      [](const failure& why) { spdlog::warn("ledger: the log's beginning could not be dropped: {}", why.detail); });
}

void ledger_core::compact() {
  arm(compaction, deps.options.compact_every);
  if (!connected || now != mode::following || !deps.options.leads) return;
  const auto cutoff = deps.time->wall_now() - deps.options.keep_events;
  ask(
      self, deps.log, read_timeout, get_log_extent{},
      [this, cutoff](const log_extent& extent) {
        if (extent.first < extent.last) search_cutoff(extent.first, extent.last, cutoff); // the first is where it was trimmed to
      },
      [](const failure&) {}); // the next time
}

void ledger_core::search_cutoff(std::uint64_t low, std::uint64_t high, wall_time cutoff) {
  // The entry at `low` is old enough or the first, those after `high` are not.
  if (low >= high) {
    const struct position up_to{incarnation, low};
    if (low <= state.opened_at || up_to <= compacted) return;
    compacted = untrimmed = up_to;
    since_snapshot = std::max(since_snapshot, deps.options.snapshot_every); // what is forgotten leaves the snapshot, too
    return append_own(compact_entry{up_to});
  }
  const auto middle = low + (high - low + 1) / 2;
  ask(
      self, deps.log, read_timeout, read_log{middle},
      [this, low, high, middle, cutoff](const logged_entry& found) {
        if (found.logged_at <= cutoff) search_cutoff(middle, high, cutoff);
        else search_cutoff(low, middle - 1, cutoff);
      },
      [](const failure&) {}); // the next time
}

} // namespace poseidon
