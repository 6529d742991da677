#pragma once
// A ledger to try rules on: makes entries, folds them, remembers what it folded.

#include "actors/fold/fold.hpp"
#include "actors/fold/snapshot.hpp"

#include <gtest/gtest.h>

namespace poseidon {

inline spec_ptr make_spec(std::uint64_t memory_mib = 64, std::uint32_t cpu_millis = 100, std::uint32_t cost = 1) {
  auto spec = std::make_shared<instance_spec>();
  spec->services.emplace_back().image = "test";
  spec->reserve = {memory_mib << 20, cpu_millis};
  spec->cost = cost;
  return spec;
}

class world {
public:
  /// Opens the first incarnation; `limits` of everything are off unless changed.
  world() {
    state.admin.limits.per_owner = 0;
    put(incarnation_entry{1, {1, 1}, {}, {}}, {1, 1});
    limits([](auto&) {});
  }

  /// Folds one entry at the next position.
  verdict put(entry_body body) { return put(std::move(body), {state.at.incarnation, next_sequence}); }
  verdict put(entry_body body, struct position at) {
    auto e = std::make_shared<entry>();
    e->id = {7, ++last_entry_id};
    e->appender = "test";
    e->folded = folded.value_or(state.at);
    e->at = wall_time{static_cast<std::int64_t>(last_entry_id) * 1000};
    e->body = std::move(body);
    return put(placed_entry{at, e->at, e});
  }
  verdict put(const placed_entry& e) {
    next_sequence = e.at.sequence + 1;
    log.push_back(e);
    return fold(state, e, change);
  }

  void limits(const std::function<void(limit_table&)>& set) {
    limit_table table;
    table.per_owner = 0;
    set(table);
    put(put_limits_entry{table});
  }

  void node(const std::string& name, std::uint64_t memory_mib = 1024, std::uint32_t cpu_millis = 4000, std::uint32_t instances = 0) {
    put(node_up(name, memory_mib, cpu_millis, instances));
  }
  node_up_entry node_up(const std::string& name, std::uint64_t memory_mib = 1024, std::uint32_t cpu_millis = 4000,
                        std::uint32_t instances = 0) {
    node_up_entry up;
    up.node = {name};
    up.run = run_of(name);
    up.data = {1, std::hash<std::string>{}(name)};
    up.capacity = {memory_mib << 20, cpu_millis, instances};
    up.incarnation = state.at.incarnation;
    up.at = state.at;
    return up;
  }
  run_id run_of(const std::string& name) { return {runs[name] + 1, std::hash<std::string>{}(name)}; }
  void new_run(const std::string& name) { ++runs[name]; }

  void challenge(const std::string& id, spec_ptr spec = make_spec()) {
    put(put_challenge_entry{{id}, "sha256:rev-" + id, {"sha256:" + id}, std::move(spec), "{}", {}});
  }

  /// A start of this challenge; instance ids are i1, i2, … in order of starts.
  start_entry start_of(const std::string& user, const std::string& challenge = "web", std::optional<std::string> team = {}) {
    start_entry e;
    e.instance = {"i" + std::to_string(++last_instance)};
    e.owner.user = user;
    e.owner.team = std::move(team);
    e.key = key_of(e.owner);
    e.challenge = {challenge};
    e.host = e.instance.value + ".test";
    return e;
  }
  verdict start(const std::string& user, const std::string& challenge = "web", std::optional<std::string> team = {}) {
    return put(start_of(user, challenge, std::move(team)));
  }

  const fold_row& row(const std::string& id) const {
    const auto n = state.instances.find({id});
    if (n == no_row) throw std::runtime_error("no row " + id);
    return state.instances.at(n);
  }
  const node_row& node_of(const std::string& name) const { return *state.nodes.at({name}).row; }

  fact_head head(const std::string& id, std::uint64_t number = 0) {
    const auto& r = row(id);
    return {r.id, r.epoch, r.node, r.node_run, number ? number : ++facts[id]};
  }
  verdict running(const std::string& id) { return put(running_entry{head(id), {1000}, {61'000}, {{80, port_protocol::http, "web"}}}); }
  verdict ended(const std::string& id, end_reason reason = end_reason::stopped) {
    return put(ended_entry{head(id), reason, {}, {5000}, "somebody"});
  }
  verdict cancel(const std::string& id, end_reason reason = end_reason::stopped) { return put(cancel_entry{{id}, reason, "key:admin"}); }
  verdict move(const std::string& id, move_reason reason) { return put(move_entry{{id}, row(id).epoch, reason, {}, 0, "key:admin", {}}); }
  verdict lose(const std::string& node) { return put(node_lost_entry{{node}, run_of(node), {}}); }
  inventory_item item(const std::string& id, bool running = true) {
    inventory_item i;
    i.instance = {id};
    i.epoch = row(id).epoch;
    i.running = running;
    if (running) i.running_at = wall_time{1000}, i.expires_at = wall_time{61'000};
    return i;
  }

  ledger_state state;
  ledger_change change;
  std::vector<placed_entry> log;
  std::optional<struct position> folded; ///< what the appender claims; nothing: everything
  std::uint64_t next_sequence = 1, last_entry_id = 0, last_instance = 0;
  std::map<std::string, std::uint64_t> runs, facts;
};

/// A world with one roomy node n1 and the challenge "web".
struct one_node : world {
  one_node() {
    node("n1");
    challenge("web");
  }
};

} // namespace poseidon
