#pragma once
// A ledger that folds what it is given, unless told to fail.

#include "actors/interfaces.hpp"

namespace poseidon::test {

struct ledger_script {
  std::vector<fact_head> folded;                ///< heads of what was folded, in order
  errc fail_with = errc::ok;                    ///< answers of this kind instead
  std::uint32_t lose_answers = 0;               ///< the next n are folded, and answered with unknown_outcome
  std::uint32_t stale = 0;                      ///< the next n are refused as stale
  std::uint32_t asked = 0;
};

inline fact_head head_of(const entry_body& body) {
  return std::visit(
      [](auto& b) {
        if constexpr (requires { b.head; }) return b.head;
        else return fact_head{};
      },
      body);
}

inline outcome<folded> fold_one(ledger_script& script, const append_entry& m) {
  ++script.asked;
  if (script.fail_with != errc::ok) return failure{script.fail_with, "told to", {}, {}, {}};
  folded answer;
  if (script.stale > 0) {
    --script.stale;
    answer.verdict = {verdict_kind::refused, {errc::stale, "too late", {}, {}, {}}, {}};
    return answer;
  }
  auto head = head_of(m.body);
  bool repeated = std::find(script.folded.begin(), script.folded.end(), head) != script.folded.end();
  if (!repeated) script.folded.push_back(head);
  if (repeated) answer.verdict.kind = verdict_kind::without_effect;
  if (script.lose_answers > 0) {
    --script.lose_answers;
    return failure{errc::unknown_outcome, "no answer", {}, {}, {}};
  }
  return answer;
}

inline ledger_actor spawn_fake_ledger(caf::actor_system& system, std::shared_ptr<ledger_script> script) {
  return system.spawn([script](ledger_actor::pointer) -> ledger_actor::behavior_type {
    return {
        [script](const append_entry& m) { return fold_one(*script, m); },
        [](const subscribe_ledger&) { return ledger_image_ptr{}; },
        [](const get_image&) { return ledger_image_ptr{}; },
        [](const get_instance&) { return row_ptr{}; },
        [](const find_live&) { return row_ptr{}; },
        [](const get_ledger_status&) { return ledger_status{}; },
    };
  });
}

} // namespace poseidon::test
