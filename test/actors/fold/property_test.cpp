// Random entries, sensible and not: after each the invariants hold; a snapshot is the state; any suffix folds the same.

#include "test/actors/fold/world.hpp"

#include <random>
#include <set>

namespace poseidon {
namespace {

/// Sums over the rows what the fold counts step by step.
struct sums {
  std::map<node_name, std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>> reserved;
  std::set<std::pair<std::string, std::string>> slots;
  std::map<std::string, std::set<std::string>> by_owner, by_user;
  std::map<std::string, std::uint32_t> by_challenge;
  std::uint32_t queued = 0;
};

sums sum_up(const ledger_state& s) {
  sums all;
  const auto hold = [&](const node_name& node, const reserve_spec& need) {
    auto& [memory, cpu, count] = all.reserved[node];
    memory += need.memory_bytes;
    cpu += need.cpu_millis;
    ++count;
  };
  s.instances.each([&](row_number, const fold_row& r) {
    if (!is_live(r)) return;
    if (r.phase == ledger_phase::queued) ++all.queued;
    else hold(r.node, r.spec->reserve);
    const auto fresh = all.slots.emplace(r.key.value, slot_challenge(r)).second;
    all.by_owner[r.key.value].insert(slot_challenge(r));
    all.by_user[r.owner.user].insert(r.key.value + "/" + slot_challenge(r));
    if (fresh) ++all.by_challenge[r.challenge.value];
  });
  for (const auto& [key, copy] : s.withdrawn) hold(copy.node, copy.reserve);
  return all;
}

void check_slots(const ledger_state& s) {
  std::map<std::pair<std::string, std::string>, std::vector<const fold_row*>> slots;
  s.instances.each([&](row_number, const fold_row& r) {
    if (is_live(r)) slots[{r.key.value, slot_challenge(r)}].push_back(&r);
  });
  for (const auto& [slot, rows] : slots) {
    ASSERT_LE(rows.size(), 2u) << slot.first;
    if (rows.size() < 2) continue;
    const auto* behind = rows[0]->phase == ledger_phase::queued ? rows[0] : rows[1];
    const auto* holder = behind == rows[0] ? rows[1] : rows[0];
    ASSERT_EQ(behind->phase, ledger_phase::queued);
    ASSERT_TRUE(holder->stop_mark) << "only behind an end";
    ASSERT_NE(holder->phase, ledger_phase::queued);
  }
}

void check(const ledger_state& s) {
  const auto all = sum_up(s);
  for (const auto& [name, node] : s.nodes) {
    const auto at = all.reserved.find(name);
    const auto [memory, cpu, count] = at == all.reserved.end() ? std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>{} : at->second;
    ASSERT_EQ(node.row->reserved_memory_bytes, memory) << name.value;
    ASSERT_EQ(node.row->reserved_cpu_millis, cpu);
    ASSERT_EQ(node.row->instances, count);
    ASSERT_TRUE(!node.row->lost || count == 0);
  }
  ASSERT_EQ(s.slots, all.slots.size());
  ASSERT_EQ(s.waiting, all.queued);
  ASSERT_EQ(s.owners.size(), all.by_owner.size());
  for (const auto& [owner, slots] : all.by_owner) ASSERT_EQ(s.owners.find(s.instances, {owner})->slots, slots.size());
  if (s.admin.limits.per_user) {
    for (const auto& [user, slots] : all.by_user) ASSERT_EQ(s.users.at(user), slots.size());
  }
  for (const auto& [challenge, count] : all.by_challenge) ASSERT_EQ(s.by_challenge.at({challenge}), count);
  check_slots(s);
}

/// Makes entries of every kind over a few owners, challenges and nodes.
struct chaos : world {
  explicit chaos(std::uint64_t seed) : random(seed) {
    limits([](auto& l) { l.per_owner = 3, l.per_user = 3, l.per_challenge = 9, l.cluster = 20, l.cost_per_owner = 8, l.per_node = 9, l.queue = 6; });
    challenge("c0", make_spec(64, 100, 1)), challenge("c1", make_spec(256, 300, 2)), challenge("c2", make_spec(512, 50, 4));
    for (int n = 0; n < 3; ++n) node("n" + std::to_string(n), 1024, 1000);
  }

  std::uint64_t below(std::uint64_t n) { return random() % n; }
  std::string any_node() { return "n" + std::to_string(below(3)); }
  std::string any_row() { return last_instance == 0 ? "none" : "i" + std::to_string(1 + below(last_instance)); }
  bool known(const std::string& id) { return state.instances.find({id}) != no_row; }

  void step() {
    switch (below(20)) {
    case 0: case 1: case 2: case 3: case 4: case 5: start_something(); break;
    case 6: case 7: say_running(); break;
    case 8: case 9: case 10: say_ended(); break;
    case 11: cancel(any_row()); break;
    case 12: if (const auto id = any_row(); known(id)) move(id, static_cast<move_reason>(below(3))); break;
    case 13: say_stopping(); break;
    case 14: if (const auto id = any_row(); known(id)) put(refused_entry{head(id), {errc::no_space, "full", {}, {}, {}}}); break;
    case 15: register_node(); break;
    case 16: if (below(3) == 0) lose(any_node()); break;
    case 17: put(set_node_mode_entry{{any_node()}, below(3) ? node_mode::ready : node_mode::cordoned}); break;
    case 18: repeat(); break;
    case 19: rarely(); break;
    }
  }

  void start_something() {
    const auto user = "u" + std::to_string(below(5));
    auto e = start_of(user, "c" + std::to_string(below(3)), below(2) ? std::optional<std::string>{"t" + std::to_string(below(2))} : std::nullopt);
    if (below(4) == 0) e.idempotency_key = "k" + std::to_string(below(20)), e.body_digest = "d" + std::to_string(below(2));
    if (below(3) == 0) e.loads = {{{any_node()}, static_cast<std::uint32_t>(below(1000)), static_cast<std::uint32_t>(below(1000))}};
    put(e);
  }
  /// Of the present assignment, or of an earlier one.
  fact_head some_head(const std::string& id) {
    auto h = head(id, 1 + below(6));
    epochs[id].insert({h.epoch, h.node});
    if (below(4) == 0) {
      const auto at = std::next(epochs[id].begin(), static_cast<std::ptrdiff_t>(below(epochs[id].size())));
      h.epoch = at->first;
      h.node = at->second;
    }
    return h;
  }
  void say_running() {
    if (const auto id = any_row(); known(id)) put(running_entry{some_head(id), {1}, {2}, {}});
  }
  void say_ended() {
    if (const auto id = any_row(); known(id)) put(ended_entry{some_head(id), static_cast<end_reason>(1 + below(8)), {}, {}, "x"});
  }
  void say_stopping() {
    if (const auto id = any_row(); known(id)) put(stopping_entry{some_head(id), end_reason::stopped, "x"});
  }
  void register_node() {
    const auto name = any_node();
    if (below(2)) new_run(name);
    auto up = node_up(name, 1024, 1000);
    state.instances.each([&](row_number, const fold_row& r) {
      for (const auto& [epoch, node] : epochs[r.id.value])
        if (node.value == name && below(3)) up.inventory.push_back({r.id, epoch, below(5) == 0, end_reason::stopped, below(2) == 0, {}, {}, 0, {}});
    });
    if (below(3) == 0) up.inventory.push_back(stray(name));
    put(up);
  }
  inventory_item stray(const std::string& node) {
    inventory_item i;
    i.instance = {"s" + std::to_string(++strays)};
    i.epoch = {state.at.incarnation, state.at.sequence, {9, strays}};
    epochs[i.instance.value].insert({i.epoch, {node}});
    instance_origin from;
    from.owner.user = "u" + std::to_string(below(5));
    from.key = key_of(from.owner);
    from.challenge = {"c" + std::to_string(below(3))};
    from.spec_id = {"sha256:stray"};
    from.spec = make_spec(32, 10);
    i.origin = from;
    return i;
  }
  void repeat() {
    auto again = log[below(log.size())];
    again.at = {state.at.incarnation, next_sequence};
    put(again);
  }
  void rarely() {
    const auto which = below(12);
    if (which == 0) put(compact_entry{{state.at.incarnation, state.at.sequence - below(200) % state.at.sequence}});
    if (which == 1) put(set_pause_entry{below(4) == 0, "pause"});
    if (which == 2) put(enable_challenge_entry{{"c" + std::to_string(below(3))}, below(3) != 0});
    if (which == 3) limits([&](auto& l) {
      l.per_owner = static_cast<std::uint32_t>(2 + below(3)), l.per_user = below(2) ? 3 : 0, l.queue = static_cast<std::uint32_t>(below(8));
      l.per_challenge = 9, l.cluster = 20, l.per_node = 9;
    });
    if (which == 4) reincarnate();
  }
  void reincarnate() {
    const auto snapshot = encode_snapshot(state);
    const auto number = state.at.incarnation + 1;
    put(incarnation_entry{number, {number, 1}, {snapshot.bytes}, snapshot.digest}, {number, 1 + below(5)});
    for (int n = 0; n < 3; ++n) register_node();
  }

  std::mt19937_64 random;
  std::uint64_t strays = 0;
  std::map<std::string, std::set<std::pair<struct epoch, node_name>>> epochs;
};

void fold_all(ledger_state& s, std::span<const placed_entry> entries) {
  ledger_change change;
  for (const auto& e : entries) fold(s, e, change);
}

class property : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(property, invariants_hold_after_every_entry) {
  chaos w(GetParam());
  for (int i = 0; i < 1500; ++i) {
    w.step();
    check(w.state);
    if (HasFatalFailure()) FAIL() << "seed " << GetParam() << ", step " << i << ", entry " << kind_of(w.log.back().what->body);
  }
}

TEST_P(property, a_slot_is_released_exactly_once) {
  chaos w(GetParam());
  std::map<std::string, int> ended;
  for (int i = 0; i < 1500; ++i) {
    const auto entries = w.log.size();
    w.step();
    if (w.log.size() != entries + 1) continue; // nothing, or an incarnation, which tells everything anew
    for (const auto& row : w.change.instances) {
      if (row->phase != ledger_phase::ended || row->changed != w.change.at) continue;
      ASSERT_EQ(++ended[row->id.value], 1) << row->id.value;
    }
  }
}

TEST_P(property, a_snapshot_is_the_state_and_any_suffix_folds_the_same) {
  chaos w(GetParam());
  std::vector<std::pair<std::size_t, encoded_snapshot>> taken;
  for (int i = 0; i < 800; ++i) {
    w.step();
    if (i % 97 == 0) taken.emplace_back(w.log.size(), encode_snapshot(w.state));
  }
  const auto whole = encode_snapshot(w.state);
  for (const auto& [entries, snapshot] : taken) {
    auto decoded = decode_snapshot(snapshot.bytes, snapshot.digest);
    ASSERT_TRUE(decoded) << decoded.error.detail;
    ASSERT_EQ(encode_snapshot(*decoded).bytes, snapshot.bytes);
    check(*decoded);
    fold_all(*decoded, std::span(w.log).subspan(entries));
    ASSERT_EQ(encode_snapshot(*decoded).digest, whole.digest) << "from entry " << entries;
  }
}

TEST_P(property, two_folds_agree) {
  chaos w(GetParam());
  for (int i = 0; i < 800; ++i) w.step();
  ledger_state again;
  again.admin.limits.per_owner = 0; // as the world began
  fold_all(again, w.log);
  EXPECT_EQ(encode_snapshot(again).digest, encode_snapshot(w.state).digest);
}

TEST_P(property, a_start_never_exceeds_a_limit_or_a_capacity) {
  chaos w(GetParam());
  const auto most = w.state.admin.limits;
  std::size_t placed = 0;
  for (int i = 0; i < 2000; ++i) {
    w.start_something(); // no adoption, so that what exists was let in
    if (w.below(2)) w.say_running();
    if (w.below(3) == 0) w.say_ended();
    if (w.below(10) == 0) w.cancel(w.any_row());
    const auto all = sum_up(w.state);
    for (const auto& [owner, slots] : all.by_owner) ASSERT_LE(slots.size(), most.per_owner);
    for (const auto& [user, slots] : all.by_user) ASSERT_LE(slots.size(), most.per_user);
    for (const auto& [challenge, count] : all.by_challenge) ASSERT_LE(count, most.per_challenge);
    ASSERT_LE(all.slots.size(), most.cluster);
    for (const auto& [name, node] : w.state.nodes) {
      ASSERT_LE(node.row->reserved_memory_bytes, node.row->capacity.memory_bytes);
      ASSERT_LE(node.row->reserved_cpu_millis, node.row->capacity.cpu_millis);
      ASSERT_LE(node.row->instances, most.per_node);
      placed += node.row->instances;
    }
  }
  EXPECT_GT(placed, 2000u) << "the test did something";
}

TEST_P(property, everything_settles_when_all_has_ended) {
  chaos w(GetParam());
  for (int i = 0; i < 600; ++i) w.step();
  w.put(set_pause_entry{true, ""});
  for (int n = 0; n < 3; ++n) { // nothing is left anywhere
    w.put(set_node_mode_entry{{"n" + std::to_string(n)}, node_mode::cordoned});
    w.put(w.node_up("n" + std::to_string(n), 1024, 1000));
  }
  std::vector<std::string> live;
  w.state.instances.each([&](row_number, const fold_row& r) {
    if (is_live(r)) live.push_back(r.id.value);
  });
  for (const auto& id : live) w.cancel(id);
  for (int n = 0; n < 3; ++n) w.put(w.node_up("n" + std::to_string(n), 1024, 1000));
  const auto all = sum_up(w.state);
  EXPECT_TRUE(all.slots.empty());
  EXPECT_TRUE(w.state.withdrawn.empty());
  EXPECT_EQ(w.state.slots, 0u);
  EXPECT_EQ(w.state.waiting, 0u);
  EXPECT_EQ(w.state.owners.size(), 0u);
  EXPECT_TRUE(w.state.by_challenge.empty());
  EXPECT_TRUE(w.state.queue.empty());
}

INSTANTIATE_TEST_SUITE_P(seeds, property, ::testing::Range<std::uint64_t>(1, 13));

} // namespace
} // namespace poseidon
