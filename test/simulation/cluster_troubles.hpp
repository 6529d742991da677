#pragma once
// What goes wrong in a simulated cluster, and how it is made good again.

#include "test/simulation/cluster_checks.hpp"

#include "messages/enums.hpp"

namespace poseidon::simulation {

/// What may go wrong; a seed picks some of them.
enum class trouble : std::uint8_t {
  crash_node,    ///< its process dies, and starts again with what its disk holds
  crash_gateway,
  lose_tail,     ///< a process starts without its copy of the ledger
  lose_journal,  ///< a node starts without its journal
  reboot,        ///< a machine loses power
  freeze,        ///< a process stands still, mostly for longer than the loss time
  cut_log,       ///< one process loses the log
  cut_bus,       ///< one process loses the bus
  partition,     ///< two processes don't hear each other
  log_away,      ///< nobody has the log
  slow_log,      ///< appends late, twice, unacknowledged, lost
  lossy_bus,     ///< frames are lost and late
  engine,        ///< engines fail, lose replies, hang, restart
  services,      ///< services of instances die
  disk_full,     ///< a node's journal takes nothing
  clocks,        ///< somebody sets a wall clock
  drain,         ///< nodes are drained and emptied
  torn_log,      ///< the log is wiped or rolled back
  trim_log,      ///< the log's beginning is dropped
};
POSEIDON_ENUM(trouble, crash_node, crash_gateway, lose_tail, lose_journal, reboot, freeze, cut_log, cut_bus, partition, log_away, slow_log,
              lossy_bus, engine, services, disk_full, clocks, drain, torn_log, trim_log)

class cluster_troubles {
public:
  cluster_troubles(cluster& of, cluster_checks& checks, std::set<trouble> kinds) : of_(of), checks_(checks), kinds_(std::move(kinds)) {}

  /// Some of the kinds: what a seed picks.
  static std::set<trouble> pick(seeded_random& random);
  /// Those that last as long as the storm.
  void begin();
  /// One of the kinds, somewhere.
  void strike();
  /// Everything is whole again: every process runs and hears the others, no engine fails.
  void end();
  std::uint64_t struck() const { return struck_; }

private:
  void strike(trouble kind);
  machine& some(bool gateway);
  machine& any();
  void later(std::int64_t least, std::int64_t most, std::function<void()> what);
  void crash(machine& m, cluster::kept keeps);
  bool is_last_with_state(const machine& m) const;
  void freeze(machine& m);
  void hurt_engine(machine& m);
  void crash_a_service(machine& m);
  void drain(machine& m);
  void tear();

  cluster& of_;
  cluster_checks& checks_;
  const std::set<trouble> kinds_;
  std::uint64_t struck_ = 0;
  bool over_ = false;
};

} // namespace poseidon::simulation
