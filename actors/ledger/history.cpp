#include "actors/ledger/history.hpp"

#include "actors/fold/fold.hpp"
#include "actors/fold/snapshot.hpp"
#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"

namespace poseidon {
namespace {

constexpr millis load_timeout{60'000};

history_actor::behavior_type history_behavior(history_actor::pointer self, tail_actor tail) {
  install_handlers(self, "history");
  return {[self, tail](const read_history& m) {
    auto answer = self->make_response_promise<outcome<ledger_history_ptr>>();
    ask(
        self, tail, load_timeout, load_tail{}, [answer, m](const tail_contents_ptr& read) mutable { answer.deliver(history_of(*read, m)); },
        [answer](failure why) mutable { answer.deliver(outcome<ledger_history_ptr>{std::move(why)}); });
    return answer;
  }};
}

} // namespace

outcome<ledger_history_ptr> history_of(const tail_contents& tail, const read_history& wanted) {
  ledger_state state;
  if (tail.snapshot) {
    auto decoded = decode_snapshot(tail.snapshot->bytes, tail.snapshot->digest);
    if (!decoded) return decoded.error;
    state = std::move(*decoded);
  }
  if (state.at > wanted.after) return failure{errc::stale, "the copy of the ledger begins after " + to_string(wanted.after), {}, {}, {}};
  auto history = std::make_shared<ledger_history>();
  for (const auto& e : tail.entries) {
    if (e.at > wanted.up_to) break;
    if (e.at > wanted.after && history->parts.empty()) history->parts.push_back({image_of(state), {}});
    const auto incarnation = state.at.incarnation;
    ledger_change change;
    fold(state, e, change);
    if (history->parts.empty() || state.at != e.at) continue;
    if (state.at.incarnation != incarnation) history->parts.push_back({image_of(state), {}});
    else history->parts.back().changes.push_back(std::move(change));
  }
  if (history->parts.empty()) history->parts.push_back({image_of(state), {}});
  return ledger_history_ptr{std::move(history)};
}

history_actor spawn_history(caf::actor_system& system, tail_actor tail) { return system.spawn(history_behavior, std::move(tail)); }

} // namespace poseidon
