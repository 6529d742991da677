#include "actors/scheduler/start_gate.hpp"

#include <set>

namespace poseidon {

owner_key key_of_request(const start_instance& request) {
  return request.shared ? owner_key{"shared"} : key_of(request.owner);
}

void start_gate::load(const ledger_image& image) {
  owners_.clear();
  challenges_.clear();
  for (auto& row : image.instances) put_row(*row);
  for (auto& row : image.challenges) challenges_[row->id] = row;
  limits_ = image.admin.limits;
  paused_ = image.admin.paused;
  pause_message_ = image.admin.pause_message;
}

void start_gate::put_row(const instance_row& row) {
  if (is_live(row)) {
    auto slot_name = row.challenge.empty() && row.source ? row.source->spec_id.value : row.challenge.value;
    owners_[row.key][row.id] = std::move(slot_name);
    return;
  }
  auto owner = owners_.find(row.key);
  if (owner == owners_.end()) return;
  owner->second.erase(row.id);
  if (owner->second.empty()) owners_.erase(owner);
}

void start_gate::put_administration(const entry_body& cause) {
  if (auto* pause = std::get_if<set_pause_entry>(&cause)) {
    paused_ = pause->paused;
    pause_message_ = pause->message;
  } else if (auto* put = std::get_if<put_limits_entry>(&cause)) {
    limits_ = put->limits;
  }
}

bool start_gate::apply(const ledger_change& change) {
  if (change.cause && std::holds_alternative<incarnation_entry>(change.cause->body)) return false;
  for (auto& row : change.instances) put_row(*row);
  for (auto& row : change.challenges) challenges_[row->id] = row;
  for (auto& id : change.dropped_challenges) challenges_.erase(id);
  if (change.administration && change.cause) put_administration(change.cause->body);
  return true;
}

std::shared_ptr<const challenge_row> start_gate::challenge(const challenge_id& id) const {
  auto found = challenges_.find(id);
  return found == challenges_.end() ? nullptr : found->second;
}

std::optional<failure> start_gate::refuse(const start_instance& request, const owner_key& key, const std::string& slot_name) const {
  if (!request.idempotency_key.empty()) return std::nullopt; // a bound key answers with its instance, whatever holds now
  std::set<std::string_view> slots; // one counts once, also while somebody waits behind its holder's end
  if (auto owner = owners_.find(key); owner != owners_.end())
    for (auto& [id, name] : owner->second) {
      if (name == slot_name) return std::nullopt; // existing, or queued behind its end
      slots.insert(name);
    }
  if (paused_) return failure{errc::paused, pause_message_.empty() ? "no new starts for now" : pause_message_, 10'000, {}, {}};
  if (!request.challenge.empty()) {
    auto row = challenge(request.challenge);
    if (row && !row->enabled) return failure{errc::challenge_disabled, "challenge " + request.challenge.value + " is disabled", {}, {}, {}};
  }
  const auto over = [&](std::uint32_t most) { return most != 0 && slots.size() >= most; };
  if (request.shared || !(over(limits_.per_owner) || (request.owner.team && over(limits_.per_team)))) return std::nullopt;
  const auto most = over(limits_.per_owner) ? limits_.per_owner : limits_.per_team;
  return failure{errc::owner_limit_reached, key.value + " holds " + std::to_string(slots.size()) + " of " + std::to_string(most), {}, {}, {}};
}

} // namespace poseidon
