#include "actors/membership/member_table.hpp"

#include <algorithm>

namespace poseidon {
namespace {

constexpr millis declared_again{5'000}, forgotten_after{600'000};

} // namespace

bool member_table::heard(heartbeat said, boot_time now) {
  if (said.key_check != limits_.key_check) return false;
  auto& known = known_[{said.process, said.run}];
  if (said.node) known.node_heard = now;
  known.heard = now;
  known.said = std::move(said);
  return true;
}

void member_table::listen(boot_time now) {
  since_.reset();
  if (bus_ && log_) since_ = now;
}

void member_table::bus(bool connected, boot_time now) {
  if (std::exchange(bus_, connected) != connected) listen(now);
}

void member_table::log(bool connected, boot_time now) {
  if (std::exchange(log_, connected) != connected) listen(now);
}

void member_table::tick(boot_time now) {
  if (ticked_ && now - *ticked_ > limits_.lost_after / 2) listen(now);
  ticked_ = now;
  std::erase_if(known_, [&](const auto& one) { return now - one.second.heard > forgotten_after; });
}

std::vector<node_lost_entry> member_table::lost(std::span<const std::shared_ptr<const node_row>> nodes, boot_time now, wall_time wall) {
  std::vector<node_lost_entry> found;
  if (!since_) return found;
  for (const auto& row : nodes) {
    if (row->lost) continue;
    const auto known = known_.find({row->name.value, row->run});
    const auto last = known != known_.end() && known->second.node_heard ? std::max(*known->second.node_heard, *since_) : *since_;
    if (now - last < limits_.lost_after) continue;
    auto& [run, at] = declared_[row->name.value];
    if (run == row->run && now - at < declared_again) continue;
    run = row->run;
    at = now;
    found.push_back({row->name, row->run, wall_time{wall.ms - (now - last).count()}});
  }
  return found;
}

std::optional<std::uint32_t> member_table::common_fold_version(std::span<const std::shared_ptr<const node_row>> nodes, boot_time now) const {
  if (!since_ || now - *since_ < limits_.lost_after) return std::nullopt;
  const auto fresh = [&](boot_time heard) { return now - heard <= limits_.lost_after; };
  for (const auto& row : nodes) {
    if (row->lost) continue;
    const auto known = known_.find({row->name.value, row->run});
    if (known == known_.end() || !known->second.node_heard || !fresh(*known->second.node_heard)) return std::nullopt;
  }
  std::optional<std::uint32_t> common;
  for (const auto& [key, known] : known_)
    if (fresh(known.heard)) common = std::min(common.value_or(known.said.fold_version), known.said.fold_version);
  return common;
}

std::vector<member> member_table::members(boot_time now) const {
  std::vector<member> all;
  for (const auto& [key, known] : known_) {
    const bool node_silent = known.node_heard && now - *known.node_heard > limits_.suspect_after;
    all.push_back({known.said, known.heard, now - known.heard > limits_.suspect_after || node_silent});
  }
  return all;
}

} // namespace poseidon
