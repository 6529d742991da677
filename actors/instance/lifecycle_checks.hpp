#pragma once
// What the lifecycle's table promises, checked when it is compiled. Included by lifecycle.hpp.

#include "actors/instance/lifecycle.hpp"

namespace poseidon::lifecycle_checks {

inline constexpr auto phases = poseidon_enum_values(phase{});
inline constexpr auto triggers = poseidon_enum_values(trigger{});

constexpr bool pairs_unique() {
  for (std::size_t i = 0; i < lifecycle_rows.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (lifecycle_rows[i].from == lifecycle_rows[k].from && lifecycle_rows[i].on == lifecycle_rows[k].on) return false;
  return true;
}

/// Each pair either has a row or is ignored, never both: nothing is left to chance.
constexpr bool total() {
  for (auto from : phases)
    for (auto on : triggers)
      if (has_row(from, on) == is_ignored(from, on)) return false;
  return true;
}

constexpr bool every_phase_reachable() {
  std::uint32_t reached = lifecycle_table::in(phase::queued);
  for (std::size_t round = 0; round < phases.size(); ++round)
    for (auto& row : lifecycle_rows)
      if (reached & lifecycle_table::in(row.from)) reached |= lifecycle_table::in(row.to);
  return reached == (1u << phases.size()) - 1;
}

/// From each phase the end can be reached.
constexpr bool gone_reachable_from_every_phase() {
  std::uint32_t ends = lifecycle_table::in(phase::gone);
  for (std::size_t round = 0; round < phases.size(); ++round)
    for (auto& row : lifecycle_rows)
      if (ends & lifecycle_table::in(row.to)) ends |= lifecycle_table::in(row.from);
  return ends == (1u << phases.size()) - 1;
}

constexpr bool every_phase_has(trigger on) {
  for (auto from : phases)
    if (from != phase::gone && !has_row(from, on)) return false;
  return true;
}

constexpr bool gone_is_final() {
  for (auto& row : lifecycle_rows)
    if (row.from == phase::gone) return false;
  return true;
}

constexpr bool has(const transition& row, effect wanted) {
  for (auto e : row.effects)
    if (e == wanted) return true;
  return false;
}

/// The slot is released by exactly those rows that lead to gone.
constexpr bool slot_released_on_the_way_to_gone() {
  for (auto& row : lifecycle_rows)
    if (has(row, effect::release_slot) != (row.to == phase::gone)) return false;
  return true;
}

/// Where the engine is told to end something, the route was cut in the same row or an earlier phase did.
constexpr bool route_cut_first() {
  for (auto& row : lifecycle_rows) {
    bool cut = (lifecycle_table::ending >> static_cast<unsigned>(row.from)) & 1u;
    for (auto e : row.effects) {
      if (e == effect::cut_route) cut = true;
      if ((e == effect::stop_group || e == effect::remove) && !cut) return false;
    }
  }
  return true;
}

static_assert(pairs_unique(), "two rows for one (from, on)");
static_assert(total(), "a (phase, trigger) pair has neither a row nor a place among the ignored ones, or has both");
static_assert(every_phase_reachable());
static_assert(gone_reachable_from_every_phase());
static_assert(every_phase_has(trigger::deadline), "a phase without a deadline may last for ever");
static_assert(every_phase_has(trigger::stop), "a phase that can't be stopped");
static_assert(gone_is_final());
static_assert(slot_released_on_the_way_to_gone());
static_assert(route_cut_first());

} // namespace poseidon::lifecycle_checks
