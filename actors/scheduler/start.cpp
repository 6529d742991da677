// Starting: from the wish to the entry, and from its judgement to the answer.

#include "actors/scheduler/scheduler_state.hpp"
#include "messages/digest.hpp"

namespace poseidon {
namespace {

constexpr unsigned most_appends = 3;

outcome<started> as_answer(verdict_kind kind, row_ptr row) {
  if (!row) return failure{errc::internal, "the ledger judged the start without naming an instance", {}, {}, {}};
  return started{kind, std::move(row)};
}

/// How a start that got its own id stands, when its verdict was not seen.
verdict_kind kind_by_row(const instance_row& row) {
  return row.phase == ledger_phase::queued ? verdict_kind::queued : verdict_kind::accepted;
}

} // namespace

start_entry make_start_entry(const start_instance& request, instance_id id, const std::shared_ptr<const challenge_row>& challenge) {
  start_entry e;
  e.request = request.request;
  e.idempotency_key = request.idempotency_key;
  e.body_digest = request.body_digest;
  e.instance = std::move(id);
  e.owner = request.owner;
  e.key = key_of_request(request);
  if (challenge) {
    e.challenge = challenge->id;
    e.revision = challenge->revision;
    e.spec = challenge->spec_id;
  } else {
    e.spec = digest_of(*request.inline_spec);
    e.inline_spec = request.inline_spec;
  }
  e.metadata = request.metadata;
  e.actor = request.actor;
  return e;
}

void scheduler_state::on_start(const start_instance& request, bounded_promise<started> promise) {
  std::shared_ptr<const challenge_row> challenge;
  if (!request.challenge.empty()) {
    challenge = gate.challenge(request.challenge);
    if (!challenge) return promise.answer(failure{errc::unknown_challenge, "no challenge " + request.challenge.value, {}, {}, {}});
  } else if (!request.inline_spec) {
    return promise.answer(failure{errc::bad_request, "neither a challenge nor a spec is named", {}, {}, {}});
  }
  auto op = std::make_shared<start_operation>(
      start_operation{make_start_entry(request, mint_instance_id(*deps.random), challenge), std::move(promise), {}, {}, 0});
  auto& entry = op->entry;
  op->slot_name = challenge ? entry.challenge.value : entry.spec.value;
  if (auto why = gate.refuse(request, entry.key, op->slot_name)) return op->promise.answer(std::move(*why));
  if (!request.flag.empty()) {
    auto sealed = deps.seal(request.flag, entry.instance);
    if (!sealed) return op->promise.answer(std::move(sealed.error));
    entry.flag = std::move(*sealed);
  }
  entry.host = deps.host_of(entry.instance);
  entry.loads = deps.loads(challenge ? *challenge->spec : *request.inline_spec);
  append_start(op);
}

void scheduler_state::append_start(const start_ptr& op) {
  ++op->appends;
  ask(
      self, deps.ledger, deps.ledger_timeout, append_entry{op->entry}, [this, op](folded answer) { judged(op, answer); },
      [this, op](failure why) {
        if (why.code != errc::unknown_outcome) return op->promise.answer(std::move(why));
        op->look_until = deps.clock->boot_now() + deps.look_limit;
        look(op);
      });
}

void scheduler_state::judged(const start_ptr& op, const folded& answer) {
  auto& verdict = answer.verdict;
  switch (verdict.kind) {
    case verdict_kind::accepted:
    case verdict_kind::queued: return op->promise.answer(as_answer(verdict.kind, answer.row));
    case verdict_kind::existing:
      if (!answer.row) return op->promise.answer(as_answer(verdict.kind, answer.row));
      return still_stands(op, answer.row);
    case verdict_kind::refused: return op->promise.answer(verdict.why);
    case verdict_kind::without_effect: break;
  }
  if (op->appends < most_appends) return append_start(op); // stale: the replica has caught up since
  op->promise.answer(verdict.why ? verdict.why : failure{errc::internal, "the start had no effect", {}, {}, {}});
}

/// No answer in time: the entry may be in the log, on its way, or lost. The replica says, in the end: by the instance, or by
/// who holds the slot. Not so of a start with a key, which may be bound to an instance that has ended: that only the fold can say.
void scheduler_state::look(const start_ptr& op) {
  ask(
      self, deps.ledger, deps.ledger_timeout, get_instance{op->entry.instance},
      [this, op](row_ptr row) {
        if (row) return op->promise.answer(as_answer(kind_by_row(*row), row));
        if (!op->entry.idempotency_key.empty()) return look_again(op);
        ask(
            self, deps.ledger, deps.ledger_timeout, find_live{op->entry.key, op->slot_name},
            [this, op](row_ptr present) {
              if (present) return still_stands(op, present);
              look_again(op);
            },
            [this, op](failure) { look_again(op); });
      },
      [this, op](failure) { look_again(op); });
}

void scheduler_state::look_again(const start_ptr& op) {
  if (deps.clock->boot_now() < op->look_until) return pause(deps.look_interval, [this, op] { look(op); });
  // Said twice it counts once: both entries are of one instance under one key.
  if (!op->entry.idempotency_key.empty() && op->appends < most_appends) return append_start(op);
  op->promise.answer(failure{errc::unknown_outcome, "the ledger did not answer in time; ask again, with the same Idempotency-Key if there was one",
                             1'000, {}, {}});
}

/// An assignment that never ran is its own proof; of one that ran, its node is asked.
void scheduler_state::still_stands(const start_ptr& op, const row_ptr& row) {
  auto node = node_of(*row);
  const auto existing = [op, row] { op->promise.answer(as_answer(verdict_kind::existing, row)); };
  if (row->phase != ledger_phase::running || row->stop_mark || !node) return existing();
  ask(
      self, node, deps.node_timeout, get_instance{row->id}, [existing](done) { existing(); },
      [this, op, row, existing](failure why) {
        if (why.code != errc::unknown_instance) return existing(); // not known: the ledger's word stands
        gone_from_its_node(op, row);
      });
}

/// Its node has ended it: the fact is on its way. Then the slot is free, and the start is judged anew.
void scheduler_state::gone_from_its_node(const start_ptr& op, const row_ptr& row) {
  await_row(
      row->id, deps.settle_limit, [](const instance_row& now) { return now.phase != ledger_phase::running; },
      [this, op](row_ptr now) {
        if (!now || op->appends >= most_appends)
          return op->promise.answer(failure{errc::unknown_outcome, "the instance's node no longer holds it, and its end is not in the ledger yet",
                                            1'000, {}, {}});
        append_start(op);
      });
}

} // namespace poseidon
