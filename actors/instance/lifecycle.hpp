#pragma once
// The lifecycle of one instance as a table {from, on, to, effects}: a pure decision. The actor (instance.hpp) turns what
// happens into triggers and performs the effects of the row, in the row's order. docs/lifecycle.md is generated from here.

#include "messages/journal.hpp"

#include <array>
#include <span>

namespace poseidon {

/// What can happen to an instance.
enum class trigger : std::uint8_t {
  assign,         ///< the ledger assigned it to a node
  begin,          ///< a new assignment reached its node
  adopt,          ///< taken over by a new run of the node's process, from the journal
  committed,      ///< the journal has the record
  pulling, creating, starting, ///< the engine's progress
  ensured,        ///< the engine says: it runs
  absent,         ///< the engine says: it does not run
  unclear,        ///< no definite answer from the engine
  start_failed,   ///< it could not be started, and why is known
  healthy, unhealthy, ///< the health check's answer
  routed, unrouted,   ///< the edge serves its route; or did not acknowledge it
  exited,         ///< a service ended by itself
  give_up,        ///< the restart policy allows no further start
  probe_due, look_due, restart_due, remove_due, ///< time for the next try
  stop,           ///< somebody wants it stopped
  fence,          ///< the ledger knows a newer epoch, or its end
  deadline,       ///< this phase has lasted long enough (running: the lifetime is over)
  halted,         ///< its processes are dead, or removal will see to it
  halted_keeping, ///< the same, and its logs shall be kept
  captured,       ///< logs are kept, or could not be
  removed,        ///< nothing of it is left in the engine
  remove_failed,  ///< something may be left
  engine_up, engine_down,
};
POSEIDON_ENUM(trigger, assign, begin, adopt, committed, pulling, creating, starting, ensured, absent, unclear, start_failed, healthy,
              unhealthy, routed, unrouted, exited, give_up, probe_due, look_due, restart_due, remove_due, stop, fence, deadline, halted,
              halted_keeping, captured, removed, remove_failed, engine_up, engine_down)

/// What a transition makes the node do.
enum class effect : std::uint8_t {
  nothing,
  announce,     ///< edge: 503 and a page that waits, until there is a route
  commit,       ///< journal: record and the facts said before, durable
  ensure,       ///< engine: pull, create, start what is missing
  inspect,      ///< engine: what is there?
  probe,        ///< one health check through the dial path
  put_route,    ///< edge: serve it
  start_again,  ///< engine: the same containers
  plan_restart, ///< restart policy: again after a delay, or give up
  note_exit,    ///< remember the exit until the start has been answered
  read_tail,    ///< last lines of output, for the failure
  probe_later, look_later, remove_later, ///< the next try, with back-off
  cut_route,    ///< edge: stop serving, cut connections; comes before stop_group and remove
  stop_group,   ///< engine: TERM, then KILL after the grace
  capture,      ///< keep logs
  remove,       ///< engine: kill and remove everything of it
  refresh,      ///< rewrite the file with its deadline inside the containers
  say_running, say_restarted, say_stopping, ///< facts for the ledger
  release_slot, ///< the last fact: `ended`, or `refused`
  forget,       ///< once the last fact is folded: drop the record, end the actor
};
POSEIDON_ENUM(effect, nothing, announce, commit, ensure, inspect, probe, put_route, start_again, plan_restart, note_exit, read_tail,
              probe_later, look_later, remove_later, cut_route, stop_group, capture, remove, refresh, say_running, say_restarted,
              say_stopping, release_slot, forget)

using effect_list = std::array<effect, 4>;

/// One row of the table.
struct transition {
  phase from;
  trigger on;
  phase to;
  effect_list effects{};
};

namespace lifecycle_table {
using p = phase;
using t = trigger;
using e = effect;

inline constexpr effect_list end_start{e::cut_route, e::commit, e::remove};
inline constexpr effect_list stop_start{e::cut_route, e::say_stopping, e::commit, e::remove};
inline constexpr effect_list end_run{e::cut_route, e::stop_group, e::say_stopping, e::commit};
inline constexpr effect_list fence_run{e::cut_route, e::stop_group, e::commit};

inline constexpr transition rows[] = {
    // queued: the ledger's fold alone; no node has it
    {p::queued, t::assign, p::assigned, {}},
    {p::queued, t::stop, p::gone, {e::release_slot}},
    {p::queued, t::deadline, p::gone, {e::release_slot}},
    // assigned: the journal first, then the engine
    {p::assigned, t::begin, p::assigned, {e::announce, e::commit}},
    {p::assigned, t::adopt, p::creating, {e::announce, e::ensure}},
    {p::assigned, t::committed, p::creating, {e::ensure}},
    {p::assigned, t::stop, p::removing, stop_start},
    {p::assigned, t::fence, p::removing, end_start},
    {p::assigned, t::deadline, p::removing, end_start},
    // pulling, creating, starting: one request to the engine; the phases are its progress
    {p::pulling, t::adopt, p::creating, {e::announce, e::ensure}},
    {p::pulling, t::creating, p::creating, {}},
    {p::pulling, t::starting, p::starting, {}},
    {p::pulling, t::ensured, p::probing, {e::probe}},
    {p::pulling, t::absent, p::creating, {e::ensure}},
    {p::pulling, t::unclear, p::pulling, {e::look_later}},
    {p::pulling, t::look_due, p::pulling, {e::inspect}},
    {p::pulling, t::start_failed, p::removing, end_start},
    {p::pulling, t::exited, p::pulling, {e::note_exit}},
    {p::pulling, t::stop, p::removing, stop_start},
    {p::pulling, t::fence, p::removing, end_start},
    {p::pulling, t::deadline, p::removing, end_start},
    {p::creating, t::adopt, p::creating, {e::announce, e::ensure}},
    {p::creating, t::pulling, p::pulling, {}},
    {p::creating, t::starting, p::starting, {}},
    {p::creating, t::ensured, p::probing, {e::probe}},
    {p::creating, t::absent, p::creating, {e::ensure}},
    {p::creating, t::unclear, p::creating, {e::look_later}},
    {p::creating, t::look_due, p::creating, {e::inspect}},
    {p::creating, t::start_failed, p::removing, end_start},
    {p::creating, t::exited, p::creating, {e::note_exit}},
    {p::creating, t::stop, p::removing, stop_start},
    {p::creating, t::fence, p::removing, end_start},
    {p::creating, t::deadline, p::removing, end_start},
    {p::starting, t::adopt, p::creating, {e::announce, e::ensure}},
    {p::starting, t::pulling, p::pulling, {}},
    {p::starting, t::creating, p::creating, {}},
    {p::starting, t::ensured, p::probing, {e::probe}},
    {p::starting, t::absent, p::creating, {e::ensure}},
    {p::starting, t::unclear, p::starting, {e::look_later}},
    {p::starting, t::look_due, p::starting, {e::inspect}},
    {p::starting, t::start_failed, p::removing, end_start},
    {p::starting, t::exited, p::starting, {e::note_exit}},
    {p::starting, t::stop, p::removing, stop_start},
    {p::starting, t::fence, p::removing, end_start},
    {p::starting, t::deadline, p::removing, end_start},
    // probing: healthy through the dial path, then routed
    {p::probing, t::adopt, p::creating, {e::announce, e::ensure}},
    {p::probing, t::healthy, p::probing, {e::put_route}},
    {p::probing, t::unhealthy, p::probing, {e::probe_later}},
    {p::probing, t::probe_due, p::probing, {e::probe}},
    {p::probing, t::unrouted, p::probing, {e::probe_later}},
    {p::probing, t::routed, p::running, {e::say_running, e::commit, e::refresh}},
    {p::probing, t::exited, p::probing, {e::read_tail}},
    {p::probing, t::start_failed, p::removing, end_start},
    {p::probing, t::stop, p::removing, stop_start},
    {p::probing, t::fence, p::removing, end_start},
    {p::probing, t::deadline, p::removing, end_start},
    // running
    {p::running, t::adopt, p::running, {e::inspect}},
    {p::running, t::ensured, p::running, {e::put_route}},
    {p::running, t::absent, p::restarting, {e::start_again}},
    {p::running, t::unclear, p::running, {e::look_later}},
    {p::running, t::look_due, p::running, {e::inspect}},
    {p::running, t::routed, p::running, {}},
    {p::running, t::unrouted, p::running, {e::look_later}},
    {p::running, t::exited, p::restarting, {e::plan_restart}},
    {p::running, t::engine_up, p::running, {e::inspect}},
    {p::running, t::stop, p::stopping, end_run},
    {p::running, t::fence, p::stopping, fence_run},
    {p::running, t::deadline, p::stopping, end_run},
    // restarting: same containers, URL and deadline
    {p::restarting, t::adopt, p::restarting, {e::inspect}},
    {p::restarting, t::restart_due, p::restarting, {e::start_again}},
    {p::restarting, t::ensured, p::restarting, {e::probe}},
    {p::restarting, t::absent, p::restarting, {e::start_again}},
    {p::restarting, t::unclear, p::restarting, {e::look_later}},
    {p::restarting, t::look_due, p::restarting, {e::inspect}},
    {p::restarting, t::start_failed, p::restarting, {e::plan_restart}},
    {p::restarting, t::healthy, p::restarting, {e::put_route}},
    {p::restarting, t::unhealthy, p::restarting, {e::probe_later}},
    {p::restarting, t::probe_due, p::restarting, {e::probe}},
    {p::restarting, t::unrouted, p::restarting, {e::probe_later}},
    {p::restarting, t::routed, p::running, {e::say_restarted, e::commit}},
    {p::restarting, t::exited, p::restarting, {e::plan_restart}},
    {p::restarting, t::engine_up, p::restarting, {e::inspect}},
    {p::restarting, t::engine_down, p::restarting, {e::look_later}},
    {p::restarting, t::give_up, p::stopping, end_run},
    {p::restarting, t::stop, p::stopping, end_run},
    {p::restarting, t::fence, p::stopping, fence_run},
    {p::restarting, t::deadline, p::stopping, end_run},
    // stopping: processes end
    {p::stopping, t::adopt, p::removing, {e::cut_route, e::remove}},
    {p::stopping, t::halted, p::removing, {e::remove}},
    {p::stopping, t::halted_keeping, p::capturing, {e::capture}},
    {p::stopping, t::stop, p::stopping, {}},
    {p::stopping, t::fence, p::stopping, {}},
    {p::stopping, t::deadline, p::removing, {e::remove}},
    // capturing: logs are kept, within a bound
    {p::capturing, t::adopt, p::removing, {e::cut_route, e::remove}},
    {p::capturing, t::captured, p::removing, {e::remove}},
    {p::capturing, t::stop, p::capturing, {}},
    {p::capturing, t::fence, p::removing, {e::remove}},
    {p::capturing, t::deadline, p::removing, {e::remove}},
    // removing: until nothing is left
    {p::removing, t::adopt, p::removing, {e::cut_route, e::remove}},
    {p::removing, t::removed, p::gone, {e::release_slot, e::commit, e::forget}},
    {p::removing, t::remove_failed, p::removing, {e::remove_later}},
    {p::removing, t::remove_due, p::removing, {e::remove}},
    {p::removing, t::engine_up, p::removing, {e::remove}},
    {p::removing, t::stop, p::removing, {}},
    {p::removing, t::fence, p::removing, {}},
    {p::removing, t::deadline, p::removing, {e::remove}},
};

/// Pairs without a row, on purpose: `on` changes nothing in these phases.
struct ignored_pairs {
  trigger on;
  std::uint32_t phases; ///< one bit a phase
};
template <class... P>
constexpr std::uint32_t in(P... phases) {
  return (0u | ... | (1u << static_cast<unsigned>(phases)));
}
inline constexpr auto launching = in(p::pulling, p::creating, p::starting);
inline constexpr auto before = in(p::queued, p::assigned);
inline constexpr auto ending = in(p::stopping, p::capturing, p::removing);
inline constexpr auto live = launching | in(p::assigned, p::probing, p::running, p::restarting);
inline constexpr auto all = before | live | ending | in(p::gone);

inline constexpr ignored_pairs ignored[] = {
    {t::assign, all & ~in(p::queued)},    // only the ledger's queue assigns
    {t::begin, all & ~in(p::assigned)},   // once
    {t::adopt, in(p::queued, p::gone)},   // no node has it; a gone one only waits for its last fact
    {t::committed, all & ~in(p::assigned)},
    // progress and answers of an earlier step, late
    {t::pulling, all & ~in(p::creating, p::starting)},
    {t::creating, all & ~in(p::pulling, p::starting)},
    {t::starting, all & ~in(p::pulling, p::creating)},
    {t::ensured, before | ending | in(p::probing, p::gone)},
    {t::absent, before | ending | in(p::probing, p::gone)},
    {t::unclear, before | ending | in(p::probing, p::gone)},
    {t::start_failed, before | ending | in(p::running, p::gone)},
    {t::healthy, all & ~in(p::probing, p::restarting)},
    {t::unhealthy, all & ~in(p::probing, p::restarting)},
    {t::routed, before | launching | ending | in(p::gone)},
    {t::unrouted, before | launching | ending | in(p::gone)},
    {t::exited, before | ending | in(p::gone)},
    {t::give_up, all & ~in(p::restarting)},
    {t::probe_due, all & ~in(p::probing, p::restarting)},
    {t::look_due, before | ending | in(p::probing, p::gone)},
    {t::restart_due, all & ~in(p::restarting)},
    {t::remove_due, all & ~in(p::removing)},
    {t::stop, in(p::gone)},
    {t::fence, in(p::queued, p::gone)},
    {t::deadline, in(p::gone)},
    {t::halted, all & ~in(p::stopping)},
    {t::halted_keeping, all & ~in(p::stopping)},
    {t::captured, all & ~in(p::capturing)},
    {t::removed, all & ~in(p::removing)},
    {t::remove_failed, all & ~in(p::removing)},
    // while it starts, the engine's own answer says more
    {t::engine_up, before | launching | in(p::probing, p::stopping, p::capturing, p::gone)},
    {t::engine_down, all & ~in(p::restarting)},
};
} // namespace lifecycle_table

/// Every row.
inline constexpr std::span<const transition> lifecycle_rows{lifecycle_table::rows};

namespace lifecycle_table {
inline constexpr std::size_t trigger_count = poseidon_enum_names(trigger{}).size();
/// Number of the row + 1 for each (phase, trigger); 0: none.
inline constexpr auto index = [] {
  std::array<std::array<std::uint8_t, trigger_count>, poseidon_enum_names(phase{}).size()> table{};
  for (std::size_t i = std::size(rows); i-- > 0;)
    table[static_cast<std::size_t>(rows[i].from)][static_cast<std::size_t>(rows[i].on)] = static_cast<std::uint8_t>(i + 1);
  return table;
}();
static_assert(std::size(rows) < 255);
} // namespace lifecycle_table

/// Whether the table has a row for `on` in `from`.
constexpr bool has_row(phase from, trigger on) {
  return lifecycle_table::index[static_cast<std::size_t>(from)][static_cast<std::size_t>(on)] != 0;
}

/// The row for `on` in `from`; null where the pair is ignored on purpose.
constexpr const transition* find_transition(phase from, trigger on) {
  const auto number = lifecycle_table::index[static_cast<std::size_t>(from)][static_cast<std::size_t>(on)];
  return number == 0 ? nullptr : &lifecycle_table::rows[number - 1];
}

/// Whether the pair is on the list of ignored ones.
constexpr bool is_ignored(phase from, trigger on) {
  for (auto& pair : lifecycle_table::ignored)
    if (pair.on == on) return (pair.phases >> static_cast<unsigned>(from)) & 1u;
  return false;
}

} // namespace poseidon

#include "actors/instance/lifecycle_checks.hpp"
