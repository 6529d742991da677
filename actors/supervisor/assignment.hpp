#pragma once
// What a node owes to one instance, by what its own replica says of it (LEDGER.md rules 2 to 5). Pure.

#include "messages/journal.hpp"
#include "messages/state.hpp"

namespace poseidon {

enum class duty_kind : std::uint8_t {
  nothing,
  launch,     ///< assigned to this run, and not begun
  end_unborn, ///< assigned to this run with a stop mark: say `ended` without creating anything
  stop,       ///< held, and marked
  fence,      ///< held without a licence: remove the copy, route first
};
POSEIDON_ENUM(duty_kind, nothing, launch, end_unborn, stop, fence)

struct duty {
  duty_kind kind = duty_kind::nothing;
  end_reason reason = end_reason::none; ///< of end_unborn, stop and fence
  std::string actor;                    ///< who wanted it to stop
  friend bool operator==(const duty&, const duty&) = default;
};

/// Who asks.
struct node_licence {
  node_name node;
  run_id run;
  bool registered = false; ///< this run's node_up of this incarnation is folded: it may launch
  std::uint64_t incarnation = 0; ///< of its replica
};

/// `row` as the replica has it; `held`: the epoch of the copy that this node has an actor for; `last_held`: the highest
/// epoch of it that this run has had one for: an assignment is begun at most once a run.
duty decide_duty(const instance_row& row, const std::optional<epoch>& held, const std::optional<epoch>& last_held,
                 const node_licence& me);

/// True when `before` was assigned to this run, which never began it (`last_held` as above), and `now` has it queued or
/// elsewhere: its reservation waits for this node to say that it has ended (rule 4).
bool leaves_unbegun(const instance_row& before, const instance_row& now, const std::optional<epoch>& last_held, const node_licence& me);

} // namespace poseidon
