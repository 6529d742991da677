#pragma once

#include "actors/router/route_table.hpp"
#include "nodes/edge/connection_set.hpp"

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>

namespace poseidon {

/// One host as the data plane sees it; immutable. A later deadline is a new route over the same connections.
struct edge_route {
  route_entry entry;
  std::shared_ptr<connection_set> connections; ///< of a ready route; else null
};
using edge_route_ptr = std::shared_ptr<const edge_route>;

/// What the data plane's threads read: host to route. Thread-safe; lookups of different hosts hardly ever meet.
class edge_table {
public:
  /// The route of a host (in normal form); null: unknown.
  edge_route_ptr find(const std::string& host) const;
  /// Performs the changes. When it returns, every thread sees them, and what was to be cut is cut.
  void apply(const std::vector<route_change>& changes);
  /// Cuts the host's connections if it is ready and its deadline is at or before `now`; true when it did.
  bool expire(const std::string& host, boot_time now);
  /// Who is told of each deadline: of those that are there already, and of each as it is applied. Empty: nobody any more.
  void on_deadline(std::function<void(boot_time, const std::string& host)> told);
  std::size_t size() const;
  /// Every entry, in no particular order; each shard at one moment.
  std::vector<route_entry> entries() const;

private:
  struct alignas(64) shard {
    mutable std::shared_mutex mutex;
    std::unordered_map<std::string, edge_route_ptr> routes;
  };
  static constexpr std::size_t shard_count = 64;
  shard& of(const std::string& host) { return shards_[std::hash<std::string>{}(host) % shard_count]; }
  const shard& of(const std::string& host) const { return shards_[std::hash<std::string>{}(host) % shard_count]; }
  void apply_one(const route_change& change);

  std::array<shard, shard_count> shards_;
  std::mutex told_mutex_;
  std::function<void(boot_time, const std::string&)> deadline_told_;
};

} // namespace poseidon
