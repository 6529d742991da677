#include "nodes/edge_link/route_news.hpp"

namespace poseidon {
namespace {

constexpr millis gone_kept{24LL * 3'600'000};

} // namespace

route_news route_view::told(const row_ptr& row, wall_time now) {
  place(row);
  return news_of(*row, now);
}

std::vector<route_news> route_view::told(const node_row& node, wall_time now) {
  std::vector<route_news> news;
  auto& machine = machines_[node.name];
  if (machine == node.machine) return news;
  machine = node.machine;
  if (const auto at = rows_.find(node.name); at != rows_.end())
    for (const auto& [id, row] : at->second) news.push_back(news_of(*row, now));
  return news;
}

route_news route_view::news_of(const instance_row& row, wall_time now) const {
  if (row.phase == ledger_phase::queued) return announce_route{row.host, row.id, row.epoch};
  if (row.phase == ledger_phase::ended) {
    const auto at = row.ended_at.value_or(now);
    if (now - at > gone_kept) return {};
    return end_route{row.host, row.id, row.epoch, row.reason, at, false};
  }
  const auto machine = machines_.find(row.node);
  if (machine == machines_.end() || machine->second.empty() || machine->second == own_) return {};
  if (row.phase == ledger_phase::running) return put_route{{row.host, row.id, row.epoch, machine->second, {}, {}}};
  return announce_route{row.host, row.id, row.epoch};
}

void route_view::place(const row_ptr& row) {
  const bool placed = row->phase != ledger_phase::queued && row->phase != ledger_phase::ended;
  if (const auto before = places_.find(row->id); before != places_.end()) {
    if (placed && before->second == row->node) {
      rows_[row->node][row->id] = row;
      return;
    }
    rows_[before->second].erase(row->id);
    places_.erase(before);
  }
  if (!placed) return;
  places_.emplace(row->id, row->node);
  rows_[row->node][row->id] = row;
}

} // namespace poseidon
