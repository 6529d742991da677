// A node that stood still or lost the log may have been counted as lost meanwhile: before it launches or answers anything it
// registers anew, which it can only at the log's head.

#include "actors/supervisor/supervisor_state.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr millis look_every{1'000};

std::string in_seconds(millis span) { return std::to_string(span.count() / 1'000) + " s"; }

} // namespace

/// Only where somebody could count it as lost.
void supervisor_state::watch_contact() {
  if (!deps.others_judge) return;
  const auto now = deps.clock->boot_now();
  out_of_touch();
  ticked = now;
  arm(supervisor_token::contact, now + look_every);
  ask(
      self, deps.ledger, look_every, get_ledger_status{}, [this](ledger_status status) { see_log(status.connected); },
      [this](failure) { see_log(false); });
}

void supervisor_state::see_log(bool connected) {
  const auto now = deps.clock->boot_now();
  if (!connected) {
    if (!log_lost_at) log_lost_at = now;
    return;
  }
  const auto lost_at = std::exchange(log_lost_at, std::nullopt);
  if (lost_at && now - *lost_at > deps.lost_after / 2) fall_behind();
}

/// What waited in the queue while the process stood still is answered by the clock, not by the next look.
bool supervisor_state::out_of_touch() {
  if (!deps.others_judge) return false;
  if (ticked && deps.clock->boot_now() - *ticked > deps.lost_after / 2) {
    ticked = deps.clock->boot_now();
    fall_behind();
  }
  return behind;
}

void supervisor_state::fall_behind() {
  if (superseded || shutting_down) return;
  ++absences;
  spdlog::warn("supervisor: node {} was away for more than half of the time after which it counts as lost: it registers anew", deps.node.value);
  behind = true;
  registered = false;
  register_node();
}

/// A node_up that was appended since then is folded: whatever the log held before it is, too.
void supervisor_state::caught_up(std::uint64_t absence) {
  if (absence != absences || !std::exchange(behind, false)) return;
  spdlog::info("supervisor: node {} has caught up with the ledger", deps.node.value);
  if (counted) now_registered();
}

failure supervisor_state::catching_up() const {
  return {errc::rebuilding, "node " + deps.node.value + " was away, and is catching up with the ledger", 500, {}, {}};
}

/// Who alone has lost the log would promise time that the others give to somebody else.
std::optional<failure> supervisor_state::may_not_extend() {
  if (out_of_touch()) return catching_up();
  if (!deps.others_judge || !log_lost_at) return std::nullopt;
  const auto lost = deps.clock->boot_now() - *log_lost_at;
  if (lost <= deps.lost_after / 2 || !deps.others_judge()) return std::nullopt;
  return failure{errc::ledger_unavailable,
                 "node " + deps.node.value + " has not reached the ledger for " + in_seconds(lost) + ", and others may count it as lost: no deadline is moved",
                 2'000, {}, {}};
}

} // namespace poseidon
