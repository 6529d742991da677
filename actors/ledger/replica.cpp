// What comes from the log goes into the tail, then through the fold, then to whoever waits.

#include "actors/kit/ask.hpp"
#include "actors/ledger/ledger_core.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr millis tail_timeout{30'000};

} // namespace

void ledger_core::on_batch(const log_batch& m) {
  if ((now != mode::following && now != mode::searching) || compare_again) return;
  log_end = std::max(log_end, m.last);
  for (const auto& found : *m.entries) {
    if (found.sequence < expected) continue;
    if (found.sequence > expected) return on_connection({true}); // a gap: the log is not what it was
    if (!take(found)) return;
    ++expected;
  }
  if (incoming.empty() && !writing) self->send(deps.log, log_consumed{log_sink{self}, expected - 1});
  write_tail();
  reached();
}

bool ledger_core::take(const logged_entry& found) {
  if (found.problem && found.problem->code == errc::conflict) return stop(*found.problem), false;
  if (!found.what) {
    spdlog::error("ledger: entry {} of the log is damaged, and passed over: {}", found.sequence,
                  found.problem ? found.problem->detail : "");
    return true;
  }
  const auto at = place_entry(found, incarnation, state.newest);
  if (const auto newer = newer_incarnation(*found.what, at.incarnation, state.newest)) return stop(newer), false;
  if (now == mode::searching) {
    seen = std::max({seen, found.what->folded.incarnation, at.incarnation});
    if (at.incarnation <= incarnation) return true; // void: before the incarnation that is looked for
    now = mode::following;
    connected = true;
    opening = false;
    append_pending_again();
  }
  incarnation = at.incarnation;
  incoming.push_back({at, found.logged_at, found.what});
  return true;
}

void ledger_core::write_tail() {
  if (writing || incoming.empty()) return;
  writing = true;
  const auto batch = std::make_shared<const std::vector<placed_entry>>(std::exchange(incoming, {}));
  ask(
      self, deps.tail, tail_timeout, append_tail{batch},
      [this, batch](done) {
        tail_fails = false;
        fold_batch(*batch);
      },
      [this, batch](const failure& why) {
        spdlog::error("ledger: the tail can't be written: {}", why.detail);
        tail_fails = true;
        if (!compare_again) incoming.insert(incoming.begin(), batch->begin(), batch->end()); // written twice is harmless
        arm(tail_again, deps.options.retry);
      });
}

void ledger_core::write_tail_again() {
  writing = false;
  if (compare_again) return connect(); // what was not written comes again
  write_tail();
}

verdict ledger_core::fold_one(const placed_entry& e, ledger_change& change) {
  const bool begins = deps.options.leads && state.at.incarnation != 0 && e.at.incarnation > state.at.incarnation;
  const auto before = begins ? std::make_unique<const ledger_state>(state) : nullptr;
  auto judged = fold(state, e, change);
  if (state.at != e.at) return judged;
  last = {e.what->id, e.logged_at};
  missing.folded(*e.what, judged, state);
  if (before) {
    missing.opened(*before, state);
    say_from = deps.time->boot_now() + deps.options.restore_after;
  }
  return judged;
}

void ledger_core::fold_batch(const std::vector<placed_entry>& batch) {
  std::vector<ledger_change> changes;
  std::vector<std::pair<entry_id, folded>> verdicts;
  ledger_change change;
  failure outgrown;
  for (const auto& e : batch) {
    const auto verdict = fold_one(e, change);
    if (pending.contains(e.what->id)) {
      auto row = verdict.instance.empty() ? nullptr : find_row(state, verdict.instance);
      verdicts.emplace_back(e.what->id, folded{e.at, verdict, std::move(row)});
    }
    if (!subscribers.empty()) changes.push_back(std::move(change));
    outgrown = rules_beyond(e, verdict);
    ++folded_entries;
    ++since_snapshot;
    if (outgrown) break; // what follows was written for other rules
  }
  writing = false;
  publish(std::move(changes));
  for (auto& [id, how] : verdicts) answer(id, std::move(how));
  if (outgrown) return stop(outgrown);
  if (compare_again) return connect();
  self->send(deps.log, log_consumed{log_sink{self}, batch.back().at.sequence});
  make_snapshot();
  write_tail();
  reached();
}

void ledger_core::publish(std::vector<ledger_change> changes) {
  if (changes.empty()) return;
  const auto all = std::make_shared<const std::vector<ledger_change>>(std::move(changes));
  for (const auto& sink : subscribers) self->send(sink, all);
}

void ledger_core::reached() {
  if (expected <= log_end || !incoming.empty() || writing) return;
  if (now == mode::following) {
    become_ready();
    if (missing.may_go_on()) say_missing();
  }
  if (now != mode::searching || opening) return;
  if (lost_its_place()) find_state();
  else if (deps.options.leads) open_incarnation();
  else become_ready(); // what is known may be read until somebody opens one
}

void ledger_core::become_ready() {
  ready = true;
  for (auto& read : std::exchange(waiting, {})) read();
}

} // namespace poseidon
