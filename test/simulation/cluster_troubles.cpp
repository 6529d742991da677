#include "test/simulation/cluster_troubles.hpp"

#include <algorithm>

namespace poseidon::simulation {
namespace {

constexpr std::uint32_t one_in_ten = 100'000;

} // namespace

std::set<trouble> cluster_troubles::pick(seeded_random& random) {
  std::set<trouble> kinds;
  for (auto count = 1 + random.below(5); count != 0; --count) kinds.insert(static_cast<trouble>(random.below(poseidon_enum_names(trouble{}).size())));
  return kinds;
}

void cluster_troubles::begin() {
  if (kinds_.contains(trouble::slow_log))
    for (auto& m : of_.machines) {
      auto& faults = m->plan.line;
      faults.most = millis{60};
      faults.late = faults.repeated = faults.unacknowledged = one_in_ten / 5;
      faults.lost = one_in_ten / 50;
      if (m->process) m->process->line->faults = faults;
    }
  if (kinds_.contains(trouble::lossy_bus)) {
    of_.bus_lost = one_in_ten;
    of_.bus_most = millis{300};
  }
  if (kinds_.contains(trouble::engine))
    for (auto& m : of_.machines)
      if (m->engine) m->engine->faults.lost_replies = m->engine->faults.failures = 3;
}

machine& cluster_troubles::some(bool gateway) {
  std::vector<machine*> found;
  for (auto& m : of_.machines)
    if (m->plan.gateway == gateway) found.push_back(m.get());
  return *found[of_.random->below(found.size())];
}
machine& cluster_troubles::any() { return *of_.machines[of_.random->below(of_.machines.size())]; }

void cluster_troubles::later(std::int64_t least, std::int64_t most, std::function<void()> what) {
  const auto span = least + static_cast<std::int64_t>(of_.random->below(static_cast<std::uint64_t>(most - least) + 1));
  of_.events.after(millis{span}, [this, what = std::move(what)] {
    if (!over_) what();
  });
}

void cluster_troubles::strike() {
  if (kinds_.empty()) return;
  auto at = kinds_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(of_.random->below(kinds_.size())));
  ++struck_;
  strike(*at);
}

void cluster_troubles::strike(trouble kind) {
  auto& random = *of_.random;
  switch (kind) {
  case trouble::crash_node: return crash(some(false), {});
  case trouble::crash_gateway: return crash(some(true), {});
  case trouble::lose_tail: return crash(any(), {true, false});
  case trouble::lose_journal: return crash(some(false), {false, random.below(2) == 0});
  case trouble::reboot: {
    auto& m = any();
    if (m.plan.node) checks_.may_lose(m.plan.name);
    of_.reboot(m);
    return later(100, 30'000, [this, &m] { of_.start(m); });
  }
  case trouble::freeze: return freeze(any());
  case trouble::cut_log: {
    auto& m = any();
    of_.cut_log(m, true);
    return later(200, 25'000, [this, &m] { of_.cut_log(m, false); });
  }
  case trouble::cut_bus: {
    auto& m = any();
    of_.cut_bus(m, true);
    return later(200, 25'000, [this, &m] { of_.cut_bus(m, false); });
  }
  case trouble::partition: {
    const std::pair<std::string, std::string> pair = std::minmax({any().plan.name.value, any().plan.name.value});
    of_.partitions.insert(pair);
    return later(200, 25'000, [this, pair] { of_.partitions.erase(pair); });
  }
  case trouble::log_away:
    of_.log->go_away();
    return later(100, 12'000, [this] { of_.log->come_back(); });
  case trouble::slow_log:
  case trouble::lossy_bus: return; // all the time
  case trouble::engine: return hurt_engine(some(false));
  case trouble::services: return crash_a_service(some(false));
  case trouble::disk_full: {
    auto& m = some(false);
    if (!m.process) return;
    auto journal = m.process->storage.journal;
    journal->full = true;
    m.engine_troubled_ms = of_.now();
    return later(100, 3'000, [this, journal, &m] {
      journal->full = false;
      m.engine_troubled_ms = of_.now();
    });
  }
  case trouble::clocks:
    checks_.clocks_set();
    return of_.set_clock(any(), millis{static_cast<std::int64_t>(random.below(7'200'000)) - 3'600'000});
  case trouble::drain: return drain(some(false));
  case trouble::torn_log: return tear();
  case trouble::trim_log: {
    const auto held = of_.log->store.last() - of_.log->store.first + 1;
    return of_.log->trim(of_.log->store.last() - std::min<std::uint64_t>(random.below(200), held));
  }
  }
}

/// Where the log's beginning was dropped, the members' tails are all that is left of it: what the last of them loses is lost.
bool cluster_troubles::is_last_with_state(const machine& m) const {
  if (!kinds_.contains(trouble::trim_log)) return false;
  return std::none_of(of_.machines.begin(), of_.machines.end(),
                      [&](auto& other) { return other.get() != &m && other->running() && of_.image(*other)->at.sequence != 0; });
}

/// At any of its messages.
void cluster_troubles::crash(machine& m, cluster::kept keeps) {
  if (!m.process) return;
  if (!keeps.journal) checks_.may_lose(m.plan.name);
  m.crash_after = of_.random->below(400);
  later(50, of_.random->below(3) == 0 ? 30'000 : 2'000, [this, &m, keeps] {
    of_.crash(m); // had it nothing to do until now
    of_.start(m, {keeps.journal, keeps.tail || is_last_with_state(m)});
  });
}

void cluster_troubles::freeze(machine& m) {
  of_.freeze(m);
  later(100, of_.random->below(3) == 0 ? 5'000 : 40'000, [this, &m] {
    of_.thaw(m);
    if (of_.random->below(2) == 0 || !m.process) return;
    of_.cut_log(m, true); // who was silent for so long was dropped by the servers
    of_.cut_log(m, false);
  });
}

void cluster_troubles::hurt_engine(machine& m) {
  m.engine_troubled_ms = of_.now();
  switch (of_.random->below(3)) {
  case 0:
    m.engine->go_down();
    return later(200, 2'500, [&m, keep = of_.random->below(2) == 0] { m.engine->come_back(keep); });
  case 1:
    m.engine->hang();
    m.engine_hangs = true;
    return later(100, 1'500, [&m] {
      m.engine->resume();
      m.engine_hangs = false;
    });
  default: return crash_a_service(m);
  }
}

void cluster_troubles::crash_a_service(machine& m) {
  for (auto& [key, group] : m.engine->groups())
    if (!group.containers.empty() && of_.random->below(4) == 0) {
      m.engine->crash(key, group.containers.front().plan->spec->services.front().name);
      return;
    }
}

/// Drained, emptied, and back in service.
void cluster_troubles::drain(machine& m) {
  auto* gateway = of_.some_gateway();
  if (!gateway) return;
  set_node_mode_entry mode;
  mode.node = m.plan.name;
  mode.mode = node_mode::draining;
  gateway->process->ask<outcome<folded>>(append_entry{mode});
  gateway->process->ask<outcome<moved_instances>>(move_instances{m.plan.name, "admin"});
  later(500, 10'000, [this, mode]() mutable {
    mode.mode = node_mode::ready;
    if (auto* other = of_.some_gateway()) other->process->ask<outcome<folded>>(append_entry{mode});
  });
}

void cluster_troubles::tear() {
  checks_.torn();
  auto& log = *of_.log;
  if (of_.random->below(3) == 0) return log.wipe();
  const auto held = log.store.last() - log.store.first + 1;
  log.roll_back(log.store.last() - std::min<std::uint64_t>(1 + of_.random->below(60), held));
}

void cluster_troubles::end() {
  over_ = true;
  of_.partitions.clear();
  of_.bus_lost = 0;
  of_.bus_most = millis{3};
  of_.log->come_back();
  for (auto& each : of_.machines) {
    auto& m = *each;
    m.crash_after.reset();
    of_.thaw(m);
    of_.cut_bus(m, false);
    m.plan.line = {};
    if (m.process) {
      m.process->line->faults = {};
      m.process->storage.journal->full = false;
    }
    if (m.storage.journal) m.storage.journal->full = false;
    if (m.engine) {
      m.engine->faults.lost_replies = m.engine->faults.failures = 0;
      if (!m.engine->up()) m.engine->come_back(true);
      m.engine->resume();
      m.engine_hangs = false;
    }
    of_.start(m);
    of_.cut_log(m, false);
  }
  for (auto& m : of_.machines) {
    auto* gateway = m->plan.node ? of_.some_gateway() : nullptr;
    if (gateway) gateway->process->ask<outcome<folded>>(append_entry{set_node_mode_entry{m->plan.name, node_mode::ready}});
  }
}

} // namespace poseidon::simulation
