// Appends and their answers: from the own replica when it gets there, or unknown after a while.

#include "actors/ledger/ledger_core.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace poseidon {
namespace {

/// Entries that a torn log lacks: as many are under way at once.
constexpr std::size_t most_said_at_once = 256;

failure unavailable(std::string why, std::int64_t retry_after_ms = 1'000) {
  return {errc::ledger_unavailable, std::move(why), retry_after_ms, {}, {}};
}

} // namespace

entry_ptr ledger_core::make_entry(entry_body body) {
  auto made = std::make_shared<entry>();
  made->id = mint<entry_id>(*deps.random);
  made->appender = deps.options.appender;
  made->run = deps.options.run;
  made->folded = state.at;
  made->at = deps.time->wall_now();
  made->body = std::move(body);
  return made;
}

caf::result<outcome<folded>> ledger_core::append(append_entry& m) {
  auto promise = self->make_response_promise<outcome<folded>>();
  if (now == mode::stopped) return promise.deliver(outcome<folded>{trouble}), promise;
  if (!connected) return promise.deliver(outcome<folded>{unavailable("the ledger's log does not answer")}), promise;
  if (tail_fails) return promise.deliver(outcome<folded>{unavailable("the disk under the ledger's tail fails")}), promise;
  if (pending.size() >= deps.options.most_pending)
    return promise.deliver(outcome<folded>{unavailable("too many entries are under way", 200)}), promise;
  auto what = make_entry(std::move(m.body));
  pending.emplace(what->id, pending_append{what, promise});
  if (due.empty()) arm(timeouts, deps.options.append_timeout);
  due.emplace_back(deps.time->boot_now() + deps.options.append_timeout, what->id);
  send_later(std::move(what));
  return promise;
}

void ledger_core::append_own(entry_body body) {
  if (connected) send_later(make_entry(std::move(body)));
}

void ledger_core::send_later(entry_ptr what) {
  if (outgoing.empty()) self->send(self, flush_appends{});
  outgoing.push_back(std::move(what));
}

void ledger_core::flush() {
  if (!outgoing.empty()) self->send(deps.log, append_to_log{log_sink{self}, std::exchange(outgoing, {})});
}

void ledger_core::failed(const log_append_failed& m) {
  if (now == mode::searching && opening) return retry_connect(m.why); // its own incarnation, or what was sent with it
  // An unknown outcome may still become known: the log is followed, and the timeout bounds the wait.
  if (m.why.code != errc::unknown_outcome) answer(m.entry, m.why);
}

void ledger_core::answer(const entry_id& id, outcome<folded> how) {
  auto found = pending.extract(id);
  if (!found.empty()) found.mapped().answer.deliver(std::move(how));
}

void ledger_core::time_out() {
  const auto at = deps.time->boot_now();
  for (; !due.empty() && due.front().first <= at; due.pop_front())
    answer(due.front().second, failure{errc::unknown_outcome, "the ledger did not confirm in time: look before trying again", {}, {}, {}});
  while (!due.empty() && !pending.contains(due.front().second)) due.pop_front();
  if (!due.empty()) arm(timeouts, due.front().first - at);
}

void ledger_core::append_pending_again() {
  // What waited when the log was torn may be gone with it; entry ids make a second append harmless.
  std::vector<entry_ptr> again;
  for (const auto& [at, id] : due)
    if (const auto found = pending.find(id); found != pending.end()) again.push_back(found->second.what);
  if (!again.empty()) self->send(deps.log, append_to_log{log_sink{self}, std::move(again)});
}

void ledger_core::say_missing() {
  if (missing.empty()) return;
  if (now != mode::following || !connected || expected <= log_end) return arm(saying_again, deps.options.retry);
  const auto at = deps.time->boot_now();
  if (at < say_from) return arm(saying_again, say_from - at);
  auto due = missing.next(state, most_said_at_once);
  if (!due.empty()) spdlog::warn("ledger: the log lacks {} entries that this member knew: says {} of them again", missing.size(), due.size());
  for (auto& body : due) append_own(std::move(body));
  if (!missing.empty()) arm(saying_again, deps.options.append_timeout); // they may have been lost
}

} // namespace poseidon
