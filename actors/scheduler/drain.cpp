// Emptying a node: each of its instances is assigned anew, a few at a time.

#include "actors/scheduler/scheduler_state.hpp"

namespace poseidon {
namespace {

constexpr std::size_t lanes = 16;

struct removal {
  std::vector<row_ptr> rows;
  std::size_t next = 0, open = 0;
  moved_instances report;
};

bool can_move(const instance_row& row) {
  return is_live(row) && !row.stop_mark && (row.phase == ledger_phase::assigned || row.phase == ledger_phase::running);
}

move_entry make_move(const instance_row& row, const std::string& actor) {
  move_entry move;
  move.instance = row.id;
  move.expected = row.epoch;
  move.reason = move_reason::drain;
  move.expires_at = row.expires_at;
  move.extensions_used_ms = row.extensions_used_ms;
  move.actor = actor;
  return move;
}

} // namespace

void scheduler_state::on_move(const move_instances& request, bounded_promise<moved_instances> promise) {
  ask(
      self, deps.ledger, deps.ledger_timeout, get_image{},
      [this, request, promise](ledger_image_ptr image) {
        auto all = std::make_shared<removal>();
        for (auto& row : image->instances)
          if (row->node == request.node && can_move(*row)) all->rows.push_back(row);
        if (all->rows.empty()) return promise.answer(all->report);
        auto step = std::make_shared<std::function<void()>>();
        const auto stayed = [all](failure why) {
          ++all->report.stayed;
          all->report.why = std::move(why);
        };
        // Held by the requests that are under way: with the last of them it goes.
        *step = [this, all, request, promise, stayed, weak = std::weak_ptr{step}] {
          auto again = weak.lock();
          if (all->next == all->rows.size()) {
            if (all->open == 0) promise.answer(all->report);
            return;
          }
          ++all->open;
          const auto& row = *all->rows[all->next++];
          auto move = make_move(row, request.actor);
          move.loads = deps.loads(*row.spec);
          ask(
              self, deps.ledger, deps.ledger_timeout, append_entry{std::move(move)},
              [all, again, stayed](folded answer) {
                --all->open;
                if (answer.verdict.kind == verdict_kind::accepted) ++all->report.moved;
                else if (answer.verdict.why.code == errc::capacity_exhausted || answer.verdict.why.code == errc::rebuilding) stayed(answer.verdict.why);
                (*again)(); // any other: it has ended or moved by itself
              },
              [all, again, stayed](failure why) {
                --all->open;
                stayed(std::move(why));
                (*again)();
              });
        };
        for (std::size_t lane = 0; lane < std::min(lanes, all->rows.size()); ++lane) (*step)();
      },
      [promise](failure why) { promise.answer(std::move(why)); });
}

} // namespace poseidon
