// The instance actor and its journal: record and facts are durable before anybody is told.

#include "actors/instance/deadline.hpp"
#include "actors/instance/instance_core.hpp"
#include "actors/instance/plan.hpp"
#include "actors/instance/start_failure.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr millis commit_limit{5'000};
constexpr millis stop_flush_limit{2'000}; ///< an absent ledger must not keep a stop waiting
constexpr millis forget_limit{10'000};   ///< its last fact may wait for the ledger as long

void append(std::vector<entry_body>& to, std::vector<entry_body> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

} // namespace

fact_head instance_core::head() { return next_head(edit(), deps_->node, deps_->run); }

instance_core::book& instance_core::open_book() {
  if (!book_) book_ = std::make_unique<book>();
  return *book_;
}

void instance_core::say(entry_body fact) { open_book().facts.push_back(std::move(fact)); }

void instance_core::say_running_fact() {
  auto& r = edit();
  const auto& w = busy();
  if (!r.deadline) r.deadline = make_deadline(deps_->boot_id, w.put_at, w.put_wall, w.put_at + millis{r.spec->lifetime_ms});
  r.running_at = w.put_wall;
  due_ = lifetime_end().value_or(due_);
  say(running_entry{head(), *r.running_at, r.deadline->wall, r.ports});
}

void instance_core::say_restarted_fact() {
  const auto exit = busy().exit.value_or(service_exited{key(), record().spec->services.front().name, 0, false});
  say(restarted_entry{head(), exit.service, exit.exit_code, static_cast<std::uint32_t>(record().restarts.size())});
}

void instance_core::say_end_fact() {
  auto& r = edit();
  r.ended_at = deps_->time->wall_now();
  if (r.reason == end_reason::none) r.reason = end_reason::stopped;
  const bool refused = r.reason == end_reason::failed && !r.running_at && node_cannot(r.why.code);
  if (refused)
    say(refused_entry{head(), r.why});
  else
    say(ended_entry{head(), r.reason, r.why, *r.ended_at, r.stopped_by});
}

void instance_core::say_expiring() {
  if (!warned_ && (phase_ == phase::running || phase_ == phase::restarting) && record().deadline && due_ - now() <= deps_->expiring_before) {
    warned_ = true;
    say(expiring_entry{head(), record().deadline->wall});
    commit();
  }
  armed_ = next_wake();
  self_->send(deps_->timers, arm_timer{me(), deadline_timer, armed_});
}

void instance_core::commit() {
  open_book().wanted = true;
  pump();
}

void instance_core::pump() {
  if (!book_ || book_->under_way || !book_->wanted) return;
  auto& b = *book_;
  b.wanted = false;
  b.under_way = true;
  append(b.sending, std::exchange(b.facts, {}));
  std::move(b.after.begin(), b.after.end(), std::back_inserter(b.after_sending));
  b.after.clear();
  if (record().phase != phase_) edit().phase = phase_;
  shared_ = true;
  ask(
      self_, deps_->journal, commit_limit, commit_record{awake().record, b.sending},
      [this](done) {
        auto ready = std::move(book_->after_sending);
        book_->sending.clear();
        book_->after_sending.clear();
        book_->under_way = false;
        book_->attempts = 0;
        if (book_->wanted)
          pump();
        else if (book_->facts.empty() && book_->after.empty())
          book_.reset();
        for (auto& f : ready) f();
        fire(trigger::committed);
      },
      [this](const failure& f) { on_commit_failed(f); });
}

void instance_core::on_commit_failed(const failure& f) {
  auto& b = *book_;
  if (b.attempts == 0) spdlog::error("instance {}: the journal did not take its record: {}", record().instance.value, f.detail);
  b.under_way = false;
  b.wanted = true; // the facts carry numbers: handing them over twice is harmless
  const auto again = back_off(b.attempts++, millis{50}, millis{2'000});
  self_->send(deps_->timers, arm_timer{me(), commit_timer, now() + again});
}

void instance_core::after_commit(std::function<void()> f) {
  if (!book_)
    f();
  else if (book_->wanted || !book_->under_way)
    book_->after.push_back(std::move(f));
  else
    book_->after_sending.push_back(std::move(f));
}

void instance_core::confirm_stop(caf::typed_response_promise<outcome<done>> promise) {
  auto answer = [promise]() mutable { promise.deliver(outcome<done>(done{})); };
  ask(
      self_, deps_->journal, stop_flush_limit, flush_facts{key()}, [answer](done) mutable { answer(); },
      [this, answer](const failure& f) mutable {
        spdlog::info("instance {}: stopping, and the ledger will learn of it later: {}", record().instance.value, f.detail);
        answer();
      });
}

/// The journal answers once the last fact is folded.
void instance_core::forget() {
  ask(
      self_, deps_->journal, forget_limit, forget_record{key()},
      [this](done) {
        self_->send(deps_->runtime, unwatch_group{key()}); // also what an earlier actor of it asked for
        self_->send(deps_->timers, disarm_all{me()});
        self_->quit();
      },
      [this](const failure& f) {
        spdlog::debug("instance {}: not forgotten yet: {}", record().instance.value, f.detail);
        set_step(step::forget, back_off(attempts_++, millis{200}, millis{5'000}));
      });
}

} // namespace poseidon
