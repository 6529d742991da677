#pragma once
// A ledger actor over the real fold and no log: every append is folded at once, and told to subscribers. With faults.

#include "actors/fold/fold.hpp"
#include "actors/fold/snapshot.hpp"
#include "actors/interfaces.hpp"

namespace poseidon::test {

/// The folded state, what was appended, and what goes wrong; shared with the test.
struct fold_ledger {
  ledger_state state;
  std::vector<entry_body> appended;
  bool away = false;         ///< appends fail with ledger_unavailable, reads work
  bool silent = false;       ///< nothing is answered
  std::uint32_t lose_replies = 0; ///< the next n appends are folded, and answered with unknown_outcome
  std::uint32_t lose_appends = 0; ///< the next n appends vanish, and are answered with unknown_outcome
  std::vector<ledger_subscriber> subscribers;
  std::uint64_t incarnation = 1, sequence = 0, random = 1000;
  const clock* time = nullptr;

  explicit fold_ledger(const clock& t) : time(&t) { put(incarnation_entry{1, {7, 7}, {}, {}}); }

  verdict put(entry_body body) {
    auto e = std::make_shared<entry>();
    e->id = {1, ++random};
    e->appender = "test";
    e->run = {1, 1};
    e->folded = state.at;
    e->at = time->wall_now();
    e->body = std::move(body);
    if (const auto* begun = std::get_if<incarnation_entry>(&e->body)) incarnation = begun->number;
    placed_entry placed{{incarnation, ++sequence}, time->wall_now(), e};
    ledger_change change;
    auto judged = fold(state, placed, change);
    change.at = placed.at;
    change.cause = e;
    auto batch = std::make_shared<std::vector<ledger_change>>();
    batch->push_back(std::move(change));
    for (auto& s : subscribers) caf::anon_send(s, ledger_changes{batch});
    return judged;
  }
  /// The log begins anew, with the state as it is.
  void begin_anew() {
    const auto now = encode_snapshot(state);
    put(incarnation_entry{incarnation + 1, {8, 8}, {now.bytes}, now.digest});
  }
  /// A node registers with nothing on it.
  void put_node(const std::string& name, run_id run) {
    node_up_entry up;
    up.node = {name};
    up.run = run;
    up.data = {2, 2};
    up.capacity = {1ull << 30, 1000, 10};
    up.incarnation = 1;
    put(up);
  }
  row_ptr row(const std::string& id) const { return find_row(state, instance_id{id}); }
  /// How many entries of this kind were appended through the actor.
  template <class Body>
  std::vector<Body> of() const {
    std::vector<Body> found;
    for (auto& body : appended)
      if (auto* b = std::get_if<Body>(&body)) found.push_back(*b);
    return found;
  }
};
using fold_ledger_ptr = std::shared_ptr<fold_ledger>;

namespace detail {
inline caf::result<outcome<folded>> append_to(ledger_actor::pointer self, fold_ledger& l, const append_entry& m) {
  if (l.silent) return self->make_response_promise<outcome<folded>>();
  if (l.away) return outcome<folded>{failure{errc::ledger_unavailable, "the log is away", 1000, {}, {}}};
  if (l.lose_appends != 0) {
    --l.lose_appends;
    return outcome<folded>{failure{errc::unknown_outcome, "lost", {}, {}, {}}};
  }
  l.appended.push_back(m.body);
  folded answer;
  answer.verdict = l.put(m.body);
  answer.at = l.state.at;
  if (!answer.verdict.instance.empty()) answer.row = find_row(l.state, answer.verdict.instance);
  if (l.lose_replies != 0) {
    --l.lose_replies;
    return outcome<folded>{failure{errc::unknown_outcome, "reply lost", {}, {}, {}}};
  }
  return outcome<folded>{answer};
}
} // namespace detail

inline ledger_actor spawn_fold_ledger(caf::actor_system& system, fold_ledger_ptr l) {
  return system.spawn([l](ledger_actor::pointer self) -> ledger_actor::behavior_type {
    return {
        [self, l](const append_entry& m) { return detail::append_to(self, *l, m); },
        [self, l](const subscribe_ledger& m) -> caf::result<ledger_image_ptr> {
          if (l->silent) return self->make_response_promise<ledger_image_ptr>();
          l->subscribers.push_back(m.sink);
          return image_of(l->state);
        },
        [self, l](const get_image&) -> caf::result<ledger_image_ptr> {
          if (l->silent) return self->make_response_promise<ledger_image_ptr>();
          return image_of(l->state);
        },
        [self, l](const get_instance& m) -> caf::result<row_ptr> {
          if (l->silent) return self->make_response_promise<row_ptr>();
          return find_row(l->state, m.instance);
        },
        [l](const find_live& m) { return find_live_row(l->state, m.owner, m.challenge); },
        [l](const get_ledger_status&) { return ledger_status{l->state.at, !l->away, true, {}, l->sequence}; },
    };
  });
}

} // namespace poseidon::test
