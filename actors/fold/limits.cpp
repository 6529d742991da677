// Limits of every scope, counted by slots: a slot counts once, also while somebody waits behind its holder's end, so that
// stop-then-start works at the limit and nothing ever exceeds it.

#include "actors/fold/step.hpp"

namespace poseidon::folding {
namespace {

const owner_key shared_owner{"shared"};

void add_user(ledger_state& state, const std::string& user, int sign) {
  const auto at = state.users.try_emplace(user, 0).first;
  at->second += static_cast<std::uint32_t>(sign);
  if (at->second == 0) state.users.erase(at);
}

std::uint32_t slots_of_user(const ledger_state& state, const std::string& user) {
  const auto at = state.users.find(user);
  return at == state.users.end() ? 0 : at->second;
}

failure exceeded(errc code, const std::string& scope, std::uint64_t held, std::uint64_t most) {
  failure f;
  f.code = code;
  f.detail = scope + " holds " + std::to_string(held) + " of " + std::to_string(most);
  return f;
}

/// Users are counted by the row's own user; two in one slot count once when they are the same.
void count_users(ledger_state& state, row_number holder, int sign) {
  const auto& row = state.instances.at(holder);
  if (row.key == shared_owner) return;
  add_user(state, row.owner.user, sign);
  const auto waiter = state.instances.waiter(holder);
  if (waiter == no_row) return;
  const auto& behind = state.instances.at(waiter);
  if (behind.owner.user != row.owner.user) add_user(state, behind.owner.user, sign);
}

std::uint64_t cost_of_slot(const ledger_state& state, row_number holder) {
  const auto own = state.instances.at(holder).spec->cost;
  const auto waiter = state.instances.waiter(holder);
  return waiter == no_row ? own : std::max(own, state.instances.at(waiter).spec->cost);
}

std::optional<failure> over_owner_limit(const ledger_state& state, const fold_row& row, row_number behind) {
  const auto& limits = state.admin.limits;
  const auto* tally = state.owners.find(state.instances, row.key);
  const std::uint64_t slots = tally ? tally->slots : 0, cost = tally ? tally->cost : 0;
  if (behind == no_row) {
    if (limits.per_owner && slots >= limits.per_owner)
      return exceeded(errc::owner_limit_reached, row.key.value, slots, limits.per_owner);
    if (limits.per_team && row.owner.team && slots >= limits.per_team)
      return exceeded(errc::owner_limit_reached, row.key.value, slots, limits.per_team);
  }
  if (limits.cost_per_owner) {
    const auto now = behind == no_row ? 0 : cost_of_slot(state, behind);
    const auto then = std::max<std::uint64_t>(now, row.spec->cost);
    if (cost - now + then > limits.cost_per_owner)
      return exceeded(errc::owner_limit_reached, "cost: " + row.key.value, cost, limits.cost_per_owner);
  }
  if (limits.per_user && (behind == no_row || state.instances.at(behind).owner.user != row.owner.user)) {
    const auto held = slots_of_user(state, row.owner.user);
    if (held >= limits.per_user) return exceeded(errc::owner_limit_reached, "user:" + row.owner.user, held, limits.per_user);
  }
  return std::nullopt;
}

} // namespace

void count_slot(ledger_state& state, row_number holder, int sign) {
  const auto& row = state.instances.at(holder);
  state.slots += static_cast<std::uint32_t>(sign);
  state.cost += static_cast<std::uint64_t>(sign * static_cast<std::int64_t>(cost_of_slot(state, holder)));
  if (!row.challenge.empty()) {
    const auto at = state.by_challenge.try_emplace(row.challenge, 0).first;
    at->second += static_cast<std::uint32_t>(sign);
    if (at->second == 0) state.by_challenge.erase(at);
  }
  if (row.key == shared_owner) return;
  if (sign > 0) state.owners.add(state.instances, holder, cost_of_slot(state, holder));
  else state.owners.remove(state.instances, holder, cost_of_slot(state, holder));
  if (state.admin.limits.per_user) count_users(state, holder, sign);
}

void recount_users(ledger_state& state) {
  state.users.clear();
  if (!state.admin.limits.per_user) return;
  state.instances.each([&](row_number n, const fold_row& row) {
    if (is_live(row) && state.instances.holds_slot(n)) count_users(state, n, +1);
  });
}

std::optional<failure> over_limit(const ledger_state& state, const fold_row& row, row_number behind) {
  const auto& limits = state.admin.limits;
  if (row.key != shared_owner)
    if (auto over = over_owner_limit(state, row, behind)) return over;
  if (limits.cost_cluster) {
    const auto now = behind == no_row ? 0 : cost_of_slot(state, behind);
    if (state.cost - now + std::max<std::uint64_t>(now, row.spec->cost) > limits.cost_cluster)
      return exceeded(errc::cluster_limit_reached, "the cluster's cost", state.cost, limits.cost_cluster);
  }
  if (behind != no_row) return std::nullopt;
  if (limits.per_challenge && !row.challenge.empty()) {
    const auto at = state.by_challenge.find(row.challenge);
    const auto held = at == state.by_challenge.end() ? 0 : at->second;
    if (held >= limits.per_challenge)
      return exceeded(errc::challenge_limit_reached, "challenge " + row.challenge.value, held, limits.per_challenge);
  }
  if (limits.cluster && state.slots >= limits.cluster)
    return exceeded(errc::cluster_limit_reached, "the cluster", state.slots, limits.cluster);
  return std::nullopt;
}

} // namespace poseidon::folding
