// Commands for instances that exist, and what is passed through.

#include "actors/scheduler/scheduler_state.hpp"

namespace poseidon {
namespace {

bool ending(const instance_row& row) {
  return !is_live(row) || row.stop_mark.has_value() || row.phase == ledger_phase::stopping;
}

failure ended_failure(const instance_row& row) {
  return {errc::instance_ended, "instance " + row.id.value + " has ended: " + std::string(to_string(row.reason)), {}, {}, {}};
}

failure unreachable(const instance_row& row) {
  return {errc::engine_unavailable, "node " + row.node.value + " is not reachable", 2'000, {}, {}};
}

/// What a node said and the ledger has not folded yet: the node says what runs.
row_ptr as_stopping(const instance_row& row, const stop_instance& request) {
  auto copy = std::make_shared<instance_row>(row);
  copy->phase = ledger_phase::stopping;
  copy->reason = request.reason;
  copy->stopped_by = request.actor;
  return copy;
}

row_ptr as_extended(const instance_row& row, const extended& answer) {
  auto copy = std::make_shared<instance_row>(row);
  copy->expires_at = answer.expires_at;
  copy->extensions_used_ms = answer.extensions_used_ms;
  return copy;
}

} // namespace

void scheduler_state::on_stop(const stop_instance& request, row_promise promise) {
  with_row(request.instance, promise, [this, request, promise](row_ptr row) {
    if (!is_live(*row)) return promise.answer(row);
    auto node = node_of(*row);
    if (row->phase == ledger_phase::queued || !node) return cancel(request, promise);
    ask(
        self, node, deps.node_timeout, request, [this, request, row, promise](done) { stopped(request, row, promise); },
        [this, request, promise](failure) { cancel(request, promise); }); // not held, or unknown: the mark ends it all the same
  });
}

void scheduler_state::cancel(const stop_instance& request, const row_promise& promise) {
  ask(
      self, deps.ledger, deps.ledger_timeout, append_entry{cancel_entry{request.instance, request.reason, request.actor}},
      [this, request, promise](folded answer) {
        if (answer.verdict.kind == verdict_kind::refused) return promise.answer(answer.verdict.why);
        if (answer.row) return promise.answer(answer.row);
        with_row(request.instance, promise, [promise](row_ptr row) { promise.answer(std::move(row)); });
      },
      [promise](failure why) { promise.answer(std::move(why)); });
}

void scheduler_state::stopped(const stop_instance& request, const row_ptr& row, const row_promise& promise) {
  await_row(request.instance, deps.settle_limit, ending, [request, row, promise](row_ptr now) {
    promise.answer(now ? now : as_stopping(*row, request));
  });
}

void scheduler_state::on_extend(const extend_instance& request, row_promise promise) {
  with_row(request.instance, promise, [this, request, promise](row_ptr row) {
    if (!is_live(*row)) return promise.answer(ended_failure(*row));
    if (ending(*row) || row->phase == ledger_phase::queued || row->phase == ledger_phase::assigned)
      return promise.answer(failure{errc::instance_not_running, "instance " + row->id.value + " is not running", {}, {}, {}});
    auto node = node_of(*row);
    if (!node) return promise.answer(unreachable(*row));
    ask(
        self, node, deps.node_timeout, request,
        [this, row, promise](extended answer) {
          await_row(
              row->id, deps.settle_limit,
              [answer](const instance_row& now) { return !is_live(now) || now.extensions_used_ms >= answer.extensions_used_ms; },
              [row, answer, promise](row_ptr now) { promise.answer(now ? now : as_extended(*row, answer)); });
        },
        [promise](failure why) { promise.answer(std::move(why)); });
  });
}

void scheduler_state::on_reset(const reset_instance& request, row_promise promise) {
  with_row(request.instance, promise, [this, request, promise](row_ptr row) {
    if (!is_live(*row)) return promise.answer(ended_failure(*row));
    if (ending(*row) || row->phase == ledger_phase::queued)
      return promise.answer(failure{errc::instance_not_running, "instance " + row->id.value + " is not running", {}, {}, {}});
    move_entry move;
    move.instance = row->id;
    move.expected = row->epoch;
    move.reason = move_reason::reset;
    move.expires_at = row->expires_at;
    move.extensions_used_ms = row->extensions_used_ms;
    move.actor = request.actor;
    move.loads = deps.loads(*row->spec);
    ask(
        self, deps.ledger, deps.ledger_timeout, append_entry{std::move(move)},
        [promise](folded answer) {
          if (answer.verdict.kind == verdict_kind::accepted && answer.row) return promise.answer(answer.row);
          if (answer.verdict.why) return promise.answer(answer.verdict.why);
          promise.answer(failure{errc::conflict, "the instance changed meanwhile; ask again", 1'000, {}, {}});
        },
        [promise](failure why) { promise.answer(std::move(why)); });
  });
}

void scheduler_state::on_logs(const read_logs& request, bounded_promise<log_text> promise) {
  ask(
      self, deps.ledger, deps.ledger_timeout, get_instance{request.instance},
      [this, request, promise](row_ptr row) {
        if (!row) return promise.answer(failure{errc::unknown_instance, "no instance " + request.instance.value, {}, {}, {}});
        auto node = node_of(*row);
        if (!node) return promise.answer(is_live(*row) ? unreachable(*row) : ended_failure(*row));
        ask(
            self, node, deps.node_timeout, request, [promise](log_text text) { promise.answer(std::move(text)); },
            [promise, row](failure why) {
              if (why.code == errc::unknown_instance && !is_live(*row))
                why = {errc::not_captured, "the logs of instance " + row->id.value + " were not kept", {}, {}, {}};
              promise.answer(std::move(why));
            });
      },
      [promise](failure why) { promise.answer(std::move(why)); });
}

void scheduler_state::on_stats(const read_stats& request, bounded_promise<group_stats> promise) {
  ask(
      self, deps.ledger, deps.ledger_timeout, get_instance{request.instance},
      [this, request, promise](row_ptr row) {
        if (!row) return promise.answer(failure{errc::unknown_instance, "no instance " + request.instance.value, {}, {}, {}});
        if (!is_live(*row)) return promise.answer(ended_failure(*row));
        auto node = node_of(*row);
        if (!node) return promise.answer(unreachable(*row));
        ask(
            self, node, deps.node_timeout, request, [promise](group_stats stats) { promise.answer(stats); },
            [promise](failure why) { promise.answer(std::move(why)); });
      },
      [promise](failure why) { promise.answer(std::move(why)); });
}

void scheduler_state::on_garbage(const collect_garbage& request, bounded_promise<garbage_report> promise) {
  struct gathered {
    garbage_report report;
    std::size_t open = 0, failed = 0;
    failure last;
  };
  auto all = std::make_shared<gathered>();
  std::vector<node_actor> nodes;
  for (auto& name : deps.nodes.names())
    if (auto node = deps.nodes.find(name)) nodes.push_back(std::move(node));
  all->open = nodes.size();
  if (nodes.empty()) return promise.answer(failure{errc::engine_unavailable, "no node is reachable", 2'000, {}, {}});
  auto one_done = [all, promise, count = nodes.size()] {
    if (--all->open != 0) return;
    if (all->failed == count) return promise.answer(all->last);
    promise.answer(std::move(all->report));
  };
  for (auto& node : nodes)
    ask(
        self, node, deps.garbage_timeout, request,
        [all, one_done](garbage_report part) {
          std::move(part.removed.begin(), part.removed.end(), std::back_inserter(all->report.removed));
          std::move(part.kept.begin(), part.kept.end(), std::back_inserter(all->report.kept));
          one_done();
        },
        [all, one_done](failure why) {
          ++all->failed;
          all->report.kept.push_back("a node did not answer: " + why.detail);
          all->last = std::move(why);
          one_done();
        });
}

void scheduler_state::on_append(const append_entry& request, bounded_promise<folded> promise) {
  ask(
      self, deps.ledger, deps.ledger_timeout, request, [promise](folded answer) { promise.answer(std::move(answer)); },
      [promise](failure why) { promise.answer(std::move(why)); });
}

} // namespace poseidon
