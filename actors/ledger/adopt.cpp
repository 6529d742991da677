// A member whose place in the log is no more, because the log's beginning was dropped, has the state from another one (rule 13).

#include "actors/kit/ask.hpp"
#include "actors/ledger/ledger_core.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace poseidon {
namespace {

constexpr millis save_timeout{120'000};
/// Whoever lives is heard in this time. Its own state is then the best there is.
constexpr millis heard_within{10'000};

} // namespace

bool ledger_core::lost_its_place() const {
  if (!deps.others.heard) return false;
  const bool virgin = log_first == 1 && log_end == 0;
  return state.at.incarnation == 0 ? !virgin : state.at.sequence < log_first && log_end >= log_first;
}

void ledger_core::find_state() {
  if (asking) return;
  if (state.at.incarnation != 0 || !deps.options.leads) become_ready(); // what is known may be read meanwhile
  auto heard = deps.others.heard();
  const auto best = std::max_element(heard.begin(), heard.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  if (best == heard.end() || best->at <= state.at) return nobody_has_more();
  asking = true;
  alone_since.reset();
  spdlog::info("ledger: the log's beginning is gone: asks {} for the state at {}", best->process, to_string(best->at));
  deps.others.ask(best->process, [to = ledger_front{self}](outcome<tail_snapshot_ptr> answer) { caf::anon_send(to, state_came{std::move(answer)}); });
}

void ledger_core::ask_again() {
  if (now == mode::searching && others_first) find_state();
  else reached();
}

void ledger_core::nobody_has_more() {
  const auto at = deps.time->boot_now();
  if (!alone_since) {
    alone_since = at;
    spdlog::warn("ledger: the log's beginning is gone, and no other member is heard that has the state");
  }
  const bool alone = at - *alone_since >= heard_within;
  if (alone && std::exchange(others_first, false)) return follow(log_first - 1, mode::searching);
  if (alone && state.at.incarnation != 0 && deps.options.leads) return open_incarnation();
  arm(asking_again, deps.options.retry);
}

void ledger_core::state_arrived(const state_came& m) {
  asking = false;
  if (now != mode::searching || opening) return;
  auto decoded = m.answer ? decode_snapshot((*m.answer)->bytes, (*m.answer)->digest, state.newest) : outcome<ledger_state>{m.answer.error};
  if (!decoded && m.answer && decoded.error.code == errc::conflict) return stop(decoded.error);
  if (!decoded || decoded->at <= state.at) {
    if (!decoded) spdlog::warn("ledger: no state came: {}", decoded.error.detail);
    return arm(asking_again, deps.options.retry);
  }
  now = mode::adopting;
  ask(
      self, deps.tail, save_timeout, save_tail_snapshot{*m.answer},
      [this, from = *m.answer, next = std::make_shared<ledger_state>(std::move(*decoded))](done) { adopt(std::move(*next), *from); },
      [this](const failure& why) {
        spdlog::error("ledger: the state that came can't be saved: {}", why.detail);
        retry_connect(why);
      });
}

void ledger_core::adopt(ledger_state next, const tail_snapshot& from) {
  if (now == mode::stopped) return;
  const auto before = std::exchange(state, std::move(next));
  last = {from.last, from.logged_at};
  since_snapshot = 0;
  if (deps.options.leads && before.at.incarnation != 0) missing.opened(before, state);
  // To readers it is what a log is that begins anew: they take the whole.
  auto cause = std::make_shared<entry>();
  cause->id = from.last;
  cause->body = incarnation_entry{state.at.incarnation, {}, {}, {}};
  ledger_change change;
  change.logged_at = from.logged_at;
  change.cause = std::move(cause);
  tell_replaced(before, state, change);
  publish({std::move(change)});
  append_pending_again();
  connect();
}

} // namespace poseidon
