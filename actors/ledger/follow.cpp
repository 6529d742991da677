// From the tail to the log, and what to do when the two don't fit together (rule 9).

#include "actors/kit/ask.hpp"
#include "actors/ledger/ledger_core.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr millis log_timeout{10'000}, load_timeout{60'000};

} // namespace

void ledger_core::start() {
  ask(
      self, deps.tail, load_timeout, load_tail{}, [this](tail_contents_ptr tail) { loaded(*tail); },
      [this](const failure& why) {
        spdlog::error("ledger: the tail can't be read: {}", why.detail);
        arm(reconnect, deps.options.retry);
      });
}

void ledger_core::loaded(const tail_contents& tail) {
  state.newest = deps.options.newest_fold;
  if (tail.snapshot) {
    auto decoded = decode_snapshot(tail.snapshot->bytes, tail.snapshot->digest, state.newest);
    if (!decoded && decoded.error.code == errc::conflict) return stop(decoded.error);
    if (decoded) {
      state = std::move(*decoded);
      last = {tail.snapshot->last, tail.snapshot->logged_at};
    } else {
      spdlog::error("ledger: {}: reading the log from its beginning", decoded.error.detail);
    }
  }
  ledger_change unheard;
  for (const auto& e : tail.entries) {
    const auto verdict = fold_one(e, unheard);
    if (auto beyond = rules_beyond(e, verdict)) return stop(beyond);
    ++since_snapshot;
  }
  incarnation = state.at.incarnation;
  arm(compaction, deps.options.compact_every);
  connect();
}

void ledger_core::connect() {
  now = mode::comparing;
  connected = false;
  compare_again = false;
  if (state.at.incarnation == 0) return search();
  self->request(deps.log, log_timeout, read_log{state.at.sequence})
      .then([this](const outcome<logged_entry>& found) { compared(found); },
            [this](const caf::error& e) { compared(outcome<logged_entry>{failure_of(e)}); });
}

void ledger_core::compared(const outcome<logged_entry>& found) {
  if (now != mode::comparing) return;
  switch (compare_log(last, found)) {
  case log_comparison::goes_on: return follow(state.at.sequence, mode::following);
  case log_comparison::unknown: return retry_connect(found.error);
  case log_comparison::torn:
    spdlog::warn("ledger: the log was torn: it does not hold entry {} as it was", to_string(state.at));
    return search();
  }
}

void ledger_core::search() {
  opening = false;
  others_first = false;
  seen = state.at.incarnation;
  ask(
      self, deps.log, log_timeout, get_log_extent{}, [this](const log_extent& extent) {
        log_first = extent.first;
        log_end = extent.last;
        // What is left of a log may begin with an incarnation that lost against one that was dropped: those who know are asked first.
        others_first = extent.first > 1 && lost_its_place();
        if (!others_first) return follow(extent.first - 1, mode::searching);
        now = mode::searching;
        find_state();
      },
      [this](const failure& why) { retry_connect(why); });
}

void ledger_core::follow(std::uint64_t after, mode next) {
  // Set before the answer: the first batch may be right behind it.
  now = next;
  expected = after + 1;
  incarnation = state.at.incarnation;
  ask(
      self, deps.log, log_timeout, follow_log{log_sink{self}, after},
      [this, next](const log_extent& extent) {
        if (now != next) return;
        log_end = std::max(extent.last, expected - 1);
        connected = now == mode::following;
        reached();
      },
      [this](const failure& why) { retry_connect(why); });
}

void ledger_core::retry_connect(const failure& why) {
  spdlog::warn("ledger: the log does not answer: {}", why.detail);
  now = mode::comparing;
  connected = false;
  incoming.clear();
  arm(reconnect, deps.options.retry);
  become_ready(); // what is known may be read; nothing can be appended
}

void ledger_core::try_again() {
  if (now == mode::loading) start();
  else if (now == mode::comparing || now == mode::searching) connect();
}

void ledger_core::open_incarnation() {
  opening = true;
  auto body = next_incarnation(state, seen, mint<random_id<struct incarnation_tag>>(*deps.random));
  spdlog::log(body.number == 1 ? spdlog::level::info : spdlog::level::warn, "ledger: opening incarnation {} of the log", body.number);
  self->send(deps.log, append_to_log{log_sink{self}, {make_entry(std::move(body))}});
  arm(reconnect, deps.options.append_timeout); // it may have been lost: search again
}

void ledger_core::on_connection(const log_connection& m) {
  if (now == mode::loading || now == mode::adopting || now == mode::stopped) return; // adopting: it compares afterwards
  connected = false;
  if (!m.connected) {
    spdlog::warn("ledger: the log is away");
    return;
  }
  incoming.clear(); // not in the tail yet: it comes again
  if (writing) compare_again = true;
  else connect();
}

void ledger_core::stop(const failure& why) {
  spdlog::critical("ledger: stopped: {}", why.detail);
  now = mode::stopped;
  connected = false;
  trouble = {errc::ledger_unavailable, why.detail, {}, {}, {}};
  auto unanswered = std::exchange(pending, {});
  for (auto& [id, append] : unanswered) append.answer.deliver(outcome<folded>{trouble});
  become_ready();
  if (deps.stopped) deps.stopped(why);
}

} // namespace poseidon
