#include "nodes/edge/edge_table.hpp"

namespace poseidon {

edge_route_ptr edge_table::find(const std::string& host) const {
  const auto& part = of(host);
  const std::shared_lock lock{part.mutex};
  const auto found = part.routes.find(host);
  return found == part.routes.end() ? nullptr : found->second;
}

void edge_table::apply(const std::vector<route_change>& changes) {
  for (const auto& change : changes) apply_one(change);
}

void edge_table::apply_one(const route_change& change) {
  const auto& host = change.now.route.host;
  std::shared_ptr<connection_set> ended;
  {
    auto& part = of(host);
    const std::unique_lock lock{part.mutex};
    auto& place = part.routes[host];
    auto connections = place ? place->connections : nullptr;
    const bool ready = change.now.phase == route_phase::ready && !change.forgotten;
    // Also when the deadline cut them and an extension came too late for that: who comes from now on is let in.
    const bool fresh = change.cut || !ready || !connections || connections->closed();
    if (fresh) ended = std::exchange(connections, ready ? std::make_shared<connection_set>() : nullptr);
    if (change.forgotten) part.routes.erase(host);
    else place = std::make_shared<const edge_route>(edge_route{change.now, std::move(connections)});
  }
  // After the table holds the new route: a connection that finds its set closed looks here again.
  if (ended) ended->cut();
  if (change.forgotten || change.now.phase != route_phase::ready || !change.now.route.deadline) return;
  const std::lock_guard lock{told_mutex_};
  if (deadline_told_) deadline_told_(*change.now.route.deadline, host);
}

void edge_table::on_deadline(std::function<void(boot_time, const std::string&)> told) {
  const std::lock_guard lock{told_mutex_};
  deadline_told_ = std::move(told);
  if (!deadline_told_) return;
  for (const auto& part : shards_) {
    const std::shared_lock reading{part.mutex};
    for (const auto& [host, route] : part.routes)
      if (route->entry.phase == route_phase::ready && route->entry.route.deadline)
        deadline_told_(*route->entry.route.deadline, host);
  }
}

bool edge_table::expire(const std::string& host, boot_time now) {
  std::shared_ptr<connection_set> ended;
  {
    auto& part = of(host);
    const std::unique_lock lock{part.mutex};
    const auto found = part.routes.find(host);
    if (found == part.routes.end()) return false;
    const auto& entry = found->second->entry;
    if (entry.phase != route_phase::ready || !entry.route.deadline || *entry.route.deadline > now) return false;
    ended = found->second->connections;
    // Within the lock: an extension that comes now finds it closed, and begins a new set.
    ended->close();
  }
  ended->cut();
  return true;
}

std::vector<route_entry> edge_table::entries() const {
  std::vector<route_entry> all;
  for (const auto& part : shards_) {
    const std::shared_lock lock{part.mutex};
    for (const auto& [host, route] : part.routes) all.push_back(route->entry);
  }
  return all;
}

std::size_t edge_table::size() const {
  std::size_t sum = 0;
  for (const auto& part : shards_) {
    const std::shared_lock lock{part.mutex};
    sum += part.routes.size();
  }
  return sum;
}

} // namespace poseidon
