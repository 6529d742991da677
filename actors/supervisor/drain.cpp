// A drain's limit: counted from when its mark was folded here; a new run counts anew, so it is late but never early.

#include "actors/supervisor/supervisor_state.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace poseidon {

void supervisor_state::see_mode(const node_row& row) {
  mode = row.mode;
  if (mode != node_mode::draining || row.drain_limit_ms <= 0) {
    drain_mark = {};
    drain_ends.reset();
    evicting = false;
    return;
  }
  if (drain_mark == row.mode_at && drain_ends) return;
  drain_mark = row.mode_at;
  drain_ends = deps.clock->boot_now() + millis{row.drain_limit_ms};
  evicting = false;
  arm(supervisor_token::drain, *drain_ends);
}

void supervisor_state::drain_due() {
  if (!drain_ends || evicting || shutting_down) return;
  if (deps.clock->boot_now() < *drain_ends) return arm(supervisor_token::drain, *drain_ends); // a later drain's
  evicting = true;
  if (!held.empty()) spdlog::warn("supervisor: the drain's limit has passed: {} instances are evicted", held.size());
  std::vector<instance_id> all;
  for (auto& [id, child] : held) all.push_back(id);
  std::sort(all.begin(), all.end());
  for (auto& id : all)
    if (auto child = held.find(id); child != held.end()) evict(id, child->second);
}

void supervisor_state::evict(const instance_id& instance, held_instance& child) {
  if (!child.actor || child.told_stop || child.told_fence) return;
  child.told_stop = true;
  ask(
      self, child.actor, deps.stop_limit, stop_instance{instance, end_reason::evicted, drained_by}, [](done) {}, [](failure) {});
}

} // namespace poseidon
