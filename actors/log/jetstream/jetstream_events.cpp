// What the transport tells the front, and what time brings.

#include "actors/log/jetstream/jetstream_front.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {

void jetstream_front::wake() {
  const auto now = deps.time->boot_now();
  auto overdue = window->expire(now);
  if (!overdue.empty()) {
    spdlog::warn("log: {} entries were not acknowledged in time: what became of them is read from the log", overdue.size());
    if (plan->is_open()) transport->check(plan->link());
  }
  tell_failed(std::move(overdue));
  switch (plan->next(now)) {
  case link_plan::step::open: transport->open(plan->link()); break;
  case link_plan::step::check: transport->check(plan->link()); break;
  case link_plan::step::nothing: break;
  }
  pump();
  rearm();
}

void jetstream_front::rearm() {
  auto due = window->next_expiry();
  if (!plan->is_opening() && (!due || plan->due() < *due)) due = plan->due();
  if (!due || (armed && *armed <= *due)) return;
  armed = due;
  self->send(deps.timers, arm_timer{timer_sink{self}, wake_up, *due});
}

void jetstream_front::decide() {
  decided = true;
  for (auto& question : std::exchange(waiting, {})) question();
}

void jetstream_front::lose(const failure& why, bool wait) {
  const auto now = deps.time->boot_now();
  const bool was_open = plan->is_open();
  spdlog::warn("log: {}", why.detail);
  trouble = {errc::ledger_unavailable, why.detail, 1'000, {}, {}};
  if (wait) plan->closed(now, deps.random->next());
  else plan->reopen(now);
  tell_failed(window->lost(trouble));
  for (auto& [token, read] : std::exchange(reads, {}))
    if (read.question) read.question->deliver(outcome<logged_entry>{trouble});
  for (auto& [token, trim] : std::exchange(trims, {})) trim.answer.deliver(outcome<done>{trouble});
  for (auto& follower : followers.all()) {
    follower.halted = true;
    follower.reading = false;
    if (was_open) self->send(follower.sink, log_connection{false});
  }
  decide();
  wake();
}

void jetstream_front::on(const link_opened& m) {
  if (m.link != plan->link() || !plan->is_opening()) return;
  plan->opened(deps.time->boot_now(), m.leader);
  order.begin(m.found.end.next, m.found.end.last);
  extent = {m.log, m.found.first.entry, m.found.end.next.entry - 1};
  recent->clear();
  window->set_message_bytes(std::min(deps.options.appends.message_bytes, m.message_bytes));
  spdlog::info("log: connected to {}, entries {} to {}", m.log, extent.first, extent.last);
  // Whoever follows compares the entry at his own position first (LEDGER.md rule 9).
  for (auto& follower : followers.all()) self->send(follower.sink, log_connection{true});
  decide();
  rearm();
}

void jetstream_front::on(const link_closed& m) {
  if (m.link == plan->link() && (plan->is_open() || plan->is_opening())) lose(m.why, true);
}

void jetstream_front::on(const message_came& m) {
  transport->taken(m.link);
  if (m.link != plan->link() || !plan->is_open()) return;
  auto taken = order.take(m.stored);
  if (taken.how == message_order::verdict::repeated) return;
  if (taken.how == message_order::verdict::gap)
    return lose({errc::ledger_unavailable, "a message of the log is missing before " + std::to_string(m.stored.sequence) + ": following anew", {}, {}, {}}, true);
  if (taken.writer == writer) window->delivered(taken.number, m.stored.sequence);
  for (const auto& entry : taken.entries)
    if (entry.what || entry.problem) recent->push(entry); // a large one is read from the stream by whoever gets there
  extent.last = order.next().entry - 1;
  for (auto& follower : followers.all()) deliver_to(follower);
  pump();
}

void jetstream_front::on(const publish_acknowledged& m) {
  if (m.link != plan->link()) return;
  window->acknowledged(m.number, m.message);
  pump();
}

void jetstream_front::on(const publish_refused& m) {
  if (m.link != plan->link()) return;
  tell_failed(window->refused(m.number, {errc::ledger_unavailable, m.why.detail, 1'000, {}, {}}));
  pump();
}

void jetstream_front::on(const stream_checked& m) {
  if (m.link != plan->link() || !plan->is_open()) return;
  const auto failed = [](std::string why) { return failure{errc::ledger_unavailable, std::move(why), {}, {}, {}}; };
  switch (plan->checked(m.found, order.next().message - 1)) {
  case link_plan::finding::fine: return;
  case link_plan::finding::silent: return lose(failed("the log goes on and nothing is delivered: following anew"), true);
  case link_plan::finding::new_leader: return lose(failed("the log has another leader: everybody compares"), false);
  case link_plan::finding::gone: return lose(failed("the log does not answer: " + m.found.error.detail), true);
  }
}

void jetstream_front::on(const stream_was_read& m) {
  auto found = reads.extract(m.token);
  if (found.empty()) return;
  auto& read = found.mapped();
  if (read.question) {
    outcome<logged_entry> answer{failure{errc::not_found, "the log has no such entry", {}, {}, {}}};
    if (m.why) answer = m.why;
    else if (!m.entries->empty()) answer = m.entries->front();
    read.question->deliver(std::move(answer));
    return;
  }
  auto* follower = followers.find(read.follower);
  if (!follower || !follower->reading || follower->sent != read.after) return; // it has followed anew since
  follower->reading = false;
  if (m.why || m.entries->empty()) return lose({errc::ledger_unavailable, "the log can't be read: " + m.why.detail, {}, {}, {}}, true);
  follower->sent = m.entries->back().sequence;
  self->send(follower->sink, log_batch{m.entries, extent.last});
  deliver_to(*follower);
}

void jetstream_front::on(const stream_trimmed& m) {
  auto found = trims.extract(m.token);
  if (found.empty()) return;
  auto& trim = found.mapped();
  if (!m.why) extent.first = std::max(extent.first, trim.before);
  trim.answer.deliver(m.why ? outcome<done>{m.why} : outcome<done>{done{}});
}

} // namespace poseidon
