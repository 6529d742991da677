#include "actors/router/route_table.hpp"

#include "actors/router/host_name.hpp"

#include <algorithm>
#include <iterator>

namespace poseidon {
namespace {

route_verdict refuse(errc code, std::string detail) { return {{code, std::move(detail), {}, {}, {}}, {}}; }

bool is_over(route_phase phase) { return phase == route_phase::ended || phase == route_phase::replaced; }

bool reachable(const endpoint& where) {
  return where.port != 0 && ((where.pid > 0 && where.start_ticks > 0) || !where.address.empty());
}

/// The normal form of `host`, if it has one and is given without a port.
std::optional<std::string> host_of(const std::string& host) {
  if (host.find(':') != std::string::npos && !host.starts_with('[')) return std::nullopt;
  return normal_host(host);
}

/// Whether `epoch` of a message may not touch an entry any more.
bool outdated(const route_entry& known, const epoch& epoch) {
  return epoch < known.route.epoch || (epoch == known.route.epoch && is_over(known.phase));
}

} // namespace

bool is_elsewhere(const route& which) { return !which.machine.empty() && which.where == endpoint{}; }

const route_entry* route_table::find(const std::string& host) const {
  const auto found = entries_.find(host);
  return found == entries_.end() ? nullptr : &found->second;
}

route_verdict route_table::put(const route& wanted, wall_time now, const node_name& node) {
  auto host = host_of(wanted.host);
  if (!host || wanted.instance.empty() || wanted.epoch.empty() || !(reachable(wanted.where) || is_elsewhere(wanted)))
    return refuse(errc::invalid_field, "a route needs host, instance, epoch and endpoint");
  route_entry entry{wanted, route_phase::ready, end_reason::none, now, node};
  entry.route.host = std::move(*host);
  const auto* known = find(entry.route.host);
  if (!known) return set(std::move(entry), false);
  if (outdated(*known, wanted.epoch)) return refuse(errc::stale, "a newer epoch of this host is known, or this one has ended");
  if (known->phase == route_phase::ready && known->route == entry.route && known->node == node) return {};
  const bool cut = known->phase == route_phase::ready &&
                   !(known->route.epoch == wanted.epoch && known->route.instance == wanted.instance && known->route.where == wanted.where);
  return set(std::move(entry), cut);
}

route_verdict route_table::announce(const announce_route& wanted, wall_time now) {
  auto host = host_of(wanted.host);
  if (!host || wanted.instance.empty()) return refuse(errc::invalid_field, "a route needs host and instance");
  const auto* known = find(*host);
  if (known && outdated(*known, wanted.epoch))
    return refuse(errc::stale, "a newer epoch of this host is known, or this one has ended");
  if (known && known->phase == route_phase::pending && known->route.epoch == wanted.epoch) return {};
  const bool cut = known && known->phase == route_phase::ready;
  return set({{*host, wanted.instance, wanted.epoch, {}, {}, {}}, route_phase::pending, end_reason::none, now}, cut);
}

route_verdict route_table::end(const end_route& wanted, wall_time now) {
  auto host = host_of(wanted.host);
  if (!host || wanted.instance.empty()) return refuse(errc::invalid_field, "a route needs host and instance");
  const auto* known = find(*host);
  const auto phase = wanted.replaced ? route_phase::replaced : route_phase::ended;
  if (known) {
    if (wanted.epoch < known->route.epoch) return {};
    // Said to be replaced, ended after all: that is news. The reverse is not.
    if (wanted.epoch == known->route.epoch && (known->phase == route_phase::ended || known->phase == phase)) return {};
  }
  const bool cut = known && known->phase == route_phase::ready;
  // An end in the future would be kept for ever by its order.
  const auto at = wanted.replaced ? now : std::min(wanted.at, now);
  return set({{*host, wanted.instance, wanted.epoch, {}, {}, {}}, phase, wanted.reason, at}, cut);
}

route_verdict route_table::set(route_entry entry, bool cut) {
  const auto host = entry.route.host;
  route_verdict verdict;
  if (const auto known = entries_.find(host); known != entries_.end()) {
    unlist(known->second);
  } else if (entries_.size() >= limits_.entries_max) {
    auto dropped = make_room();
    if (!dropped) return refuse(errc::capacity_exhausted, "the route table is full");
    verdict.changes.push_back(std::move(*dropped));
  }
  if (entry.phase != route_phase::ready) idle_.emplace(entry.since, host);
  entries_[host] = entry;
  verdict.changes.push_back({std::move(entry), cut, false});
  return verdict;
}

void route_table::unlist(const route_entry& entry) { idle_.erase({entry.since, entry.route.host}); }

std::optional<route_change> route_table::make_room() {
  // An ended host that is forgotten early answers 404 instead of 410: no more than that.
  const auto oldest = std::find_if(idle_.begin(), idle_.end(), [&](const auto& each) { return is_over(entries_.at(each.second).phase); });
  if (oldest == idle_.end()) return std::nullopt;
  const auto host = oldest->second;
  idle_.erase(oldest);
  route_change dropped{std::move(entries_.at(host)), false, true};
  entries_.erase(host);
  return dropped;
}

std::vector<route_change> route_table::retain(const node_name& node, const std::set<std::string>& hosts, wall_time now) {
  std::vector<announce_route> dropped;
  for (const auto& [host, entry] : entries_)
    if (entry.phase == route_phase::ready && entry.node == node && !hosts.contains(host))
      dropped.push_back({host, entry.route.instance, entry.route.epoch});
  std::sort(dropped.begin(), dropped.end(), [](auto& a, auto& b) { return a.host < b.host; });
  std::vector<route_change> changes;
  for (const auto& each : dropped) {
    auto verdict = announce(each, now);
    std::move(verdict.changes.begin(), verdict.changes.end(), std::back_inserter(changes));
  }
  return changes;
}

std::vector<route_change> route_table::sweep(wall_time now) {
  std::vector<route_change> changes;
  while (!idle_.empty() && now - idle_.begin()->first >= limits_.ended_kept) {
    const auto host = idle_.begin()->second;
    changes.push_back({std::move(entries_.at(host)), false, true});
    entries_.erase(host);
    idle_.erase(idle_.begin());
  }
  return changes;
}

route_snapshot route_table::snapshot(const machine_id& machine) const {
  route_snapshot image;
  image.machine = machine;
  image.entries.reserve(entries_.size());
  for (const auto& [host, entry] : entries_) image.entries.push_back(entry);
  std::sort(image.entries.begin(), image.entries.end(), [](auto& a, auto& b) { return a.route.host < b.route.host; });
  return image;
}

std::vector<route_change> route_table::restore(const route_snapshot& from, const machine_id& machine, wall_time now, boot_time judged_from) {
  std::vector<route_change> changes;
  for (auto entry : from.entries) {
    const auto host = host_of(entry.route.host);
    if (!host || *host != entry.route.host || entry.route.instance.empty() || entry.route.epoch.empty()) continue;
    if (const auto* known = find(*host); known && entry.route.epoch <= known->route.epoch) continue;
    const bool elsewhere = is_elsewhere(entry.route) && entry.route.machine != machine;
    if (entry.phase == route_phase::ready && !elsewhere && (!(from.machine == machine) || !reachable(entry.route.where))) {
      entry.phase = route_phase::pending;
      entry.route.where = {};
      entry.route.deadline.reset();
      entry.since = now;
    }
    if (entry.route.deadline) entry.route.deadline = std::max(*entry.route.deadline, judged_from);
    entry.since = std::min(entry.since, now);
    auto verdict = set(std::move(entry), false);
    std::move(verdict.changes.begin(), verdict.changes.end(), std::back_inserter(changes));
  }
  return changes;
}

} // namespace poseidon
