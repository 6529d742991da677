#include "actors/reaper/reconcile.hpp"

#include <gtest/gtest.h>

#include <random>

namespace poseidon {
namespace {

constexpr wall_time noon{1'800'000'000'000};

epoch epoch_at(std::uint64_t sequence) { return {1, sequence, {7, sequence}}; }
group_key key_of(const std::string& instance, std::uint64_t sequence) { return {instance_id{instance}, epoch_at(sequence)}; }

runtime_object object_of(const group_key& key, object_kind kind = object_kind::container) {
  runtime_object o;
  o.kind = kind;
  o.id = o.name = std::string(to_string(kind)) + "-" + key.instance.value + "-" + std::to_string(key.epoch.sequence);
  o.labels = {{labels::cluster, "c1"},
              {labels::node, "n1"},
              {labels::instance, key.instance.value},
              {labels::epoch, to_string(key.epoch)},
              {labels::schema, labels::schema_version},
              {labels::expires_max, to_rfc3339(noon + millis{3'600'000})}};
  o.age_ms = 600'000;
  return o;
}

reap_knowledge knowledge() {
  reap_knowledge k;
  k.cluster = "c1";
  k.node = node_name{"n1"};
  k.now = noon;
  return k;
}

TEST(reconcile, leaves_alone_what_is_not_labelled_ours) {
  auto k = knowledge();
  auto foreign = object_of(key_of("x", 1));
  foreign.labels.clear();
  EXPECT_EQ(judge_object(foreign, k).action, reap_action::ignore);
  auto other_cluster = object_of(key_of("x", 1));
  other_cluster.labels[labels::cluster] = "c2";
  EXPECT_EQ(judge_object(other_cluster, k).action, reap_action::ignore);
  auto other_node = object_of(key_of("x", 1));
  other_node.labels[labels::node] = "n2";
  EXPECT_EQ(judge_object(other_node, k).action, reap_action::ignore);
  auto no_node = object_of(key_of("x", 1));
  no_node.labels.erase(labels::node);
  EXPECT_EQ(judge_object(no_node, k).action, reap_action::ignore);
  EXPECT_TRUE(reconcile({foreign, other_cluster, other_node, no_node}, k).empty());
}

TEST(reconcile, an_empty_cluster_or_node_name_matches_nothing) {
  auto k = knowledge();
  k.cluster.clear();
  auto o = object_of(key_of("x", 1));
  o.labels[labels::cluster].clear();
  EXPECT_EQ(judge_object(o, k).action, reap_action::ignore);
}

TEST(reconcile, keeps_what_the_journal_holds_and_leaves_ending_ones_to_their_actor) {
  auto k = knowledge();
  k.held[key_of("x", 1)] = false;
  k.held[key_of("y", 2)] = true;
  EXPECT_EQ(judge_object(object_of(key_of("x", 1)), k).action, reap_action::keep);
  EXPECT_EQ(judge_object(object_of(key_of("y", 2)), k).action, reap_action::finish);
}

TEST(reconcile, a_held_one_is_kept_after_its_latest_end_and_against_the_ledger) {
  auto k = knowledge();
  k.held[key_of("x", 1)] = false;
  k.now = noon + millis{100'000'000};
  k.ledger[instance_id{"x"}] = {epoch_at(9), node_name{"n2"}, true};
  EXPECT_EQ(judge_object(object_of(key_of("x", 1)), k).action, reap_action::keep);
}

TEST(reconcile, the_window_protects_whatever_is_young) {
  auto k = knowledge();
  k.tombstones.insert(key_of("x", 1));
  auto o = object_of(key_of("x", 1));
  o.age_ms = k.safety_window.count() - 1;
  EXPECT_EQ(judge_object(o, k).action, reap_action::keep);
  o.age_ms = k.safety_window.count();
  EXPECT_EQ(judge_object(o, k).action, reap_action::remove);
}

TEST(reconcile, removes_what_ended_or_moved_on) {
  auto k = knowledge();
  k.tombstones.insert(key_of("dead", 1));
  k.ledger[instance_id{"ended"}] = {epoch_at(4), node_name{"n1"}, true};
  k.ledger[instance_id{"moved"}] = {epoch_at(8), node_name{"n1"}, false};
  EXPECT_EQ(judge_object(object_of(key_of("dead", 1)), k).action, reap_action::remove);
  EXPECT_EQ(judge_object(object_of(key_of("ended", 4)), k).action, reap_action::remove);
  EXPECT_EQ(judge_object(object_of(key_of("ended", 3)), k).action, reap_action::remove);
  k.ledger[instance_id{"restored"}] = {epoch{}, node_name{}, true};
  EXPECT_EQ(judge_object(object_of(key_of("restored", 3)), k).action, reap_action::remove) << "a torn log forgot where it was";
  EXPECT_EQ(judge_object(object_of(key_of("moved", 7)), k).action, reap_action::remove);
}

TEST(reconcile, adopts_what_the_ledger_has_here_and_the_journal_lost) {
  auto k = knowledge();
  k.ledger[instance_id{"x"}] = {epoch_at(4), node_name{"n1"}, false};
  EXPECT_EQ(judge_object(object_of(key_of("x", 4)), k).action, reap_action::adopt);
}

TEST(reconcile, what_nobody_knows_ends_late_but_never_early) {
  auto k = knowledge();
  auto o = object_of(key_of("x", 4));
  EXPECT_EQ(judge_object(o, k).action, reap_action::keep);
  k.now = noon + millis{3'599'999};
  EXPECT_EQ(judge_object(o, k).action, reap_action::keep);
  k.now = noon + millis{3'600'000};
  EXPECT_EQ(judge_object(o, k).action, reap_action::remove);
}

TEST(reconcile, an_assignment_newer_than_the_replica_is_not_removed) {
  auto k = knowledge();
  k.ledger[instance_id{"x"}] = {epoch_at(4), node_name{"n1"}, true};
  EXPECT_EQ(judge_object(object_of(key_of("x", 5)), k).action, reap_action::keep);
}

TEST(reconcile, unreadable_labels_fall_back_to_the_latest_end) {
  auto k = knowledge();
  auto o = object_of(key_of("x", 4));
  o.labels[labels::epoch] = "garbage";
  EXPECT_EQ(judge_object(o, k).action, reap_action::keep);
  k.now = noon + millis{3'600'000};
  EXPECT_EQ(judge_object(o, k).action, reap_action::remove);
  k.now = noon;
  o.labels[labels::expires_max] = "soon";
  EXPECT_EQ(judge_object(o, k).action, reap_action::remove);
}

TEST(reconcile, a_newer_schema_is_left_alone) {
  auto k = knowledge();
  k.now = noon + millis{3'600'000};
  auto o = object_of(key_of("x", 4));
  o.labels[labels::schema] = "2";
  EXPECT_EQ(judge_object(o, k).action, reap_action::keep);
  o.labels[labels::schema] = "two";
  EXPECT_EQ(judge_object(o, k).action, reap_action::remove);
}

TEST(reconcile, lists_containers_before_what_they_use) {
  auto k = knowledge();
  k.tombstones.insert(key_of("x", 1));
  auto result = reconcile({object_of(key_of("x", 1), object_kind::volume), object_of(key_of("x", 1), object_kind::network),
                           object_of(key_of("x", 1), object_kind::shim), object_of(key_of("x", 1))},
                          k);
  ASSERT_EQ(result.size(), 4u);
  EXPECT_EQ(result[0].object.kind, object_kind::container);
  EXPECT_EQ(result[1].object.kind, object_kind::shim);
  EXPECT_EQ(result[2].object.kind, object_kind::network);
  EXPECT_EQ(result[3].object.kind, object_kind::volume);
}

/// A small world: instances come and go, the journal and the ledger lag or are lost; what is alive is known for certain.
struct world {
  struct object {
    group_key key;
    object_kind kind;
    wall_time made;
    bool alive; ///< belongs to an instance that lives here
  };
  std::mt19937_64 random;
  wall_time now = noon;
  std::vector<object> objects;
  std::map<group_key, bool> held;
  std::set<group_key> tombstones;
  std::map<instance_id, ledger_view> ledger;
  std::uint64_t next = 1;

  explicit world(std::uint64_t seed) : random(seed) {}
  std::uint64_t below(std::uint64_t n) { return random() % n; }

  void launch() {
    auto key = key_of("i" + std::to_string(below(12)), next++);
    for (auto& o : objects) // one live copy an instance; the older one is fenced
      if (o.key.instance == key.instance) o.alive = false;
    for (auto it = held.begin(); it != held.end();)
      if (it->first.instance == key.instance) {
        tombstones.insert(it->first);
        it = held.erase(it);
      } else {
        ++it;
      }
    held[key] = false;
    ledger[key.instance] = {key.epoch, node_name{"n1"}, false};
    for (auto kind : {object_kind::container, object_kind::network, object_kind::volume})
      if (kind == object_kind::container || below(2)) objects.push_back({key, kind, now, true});
  }
  /// Ends one: its objects may be left behind (a leak), its ledger row ended, and its tombstone forgotten later.
  void end() {
    if (held.empty()) return;
    auto it = std::next(held.begin(), static_cast<std::ptrdiff_t>(below(held.size())));
    auto key = it->first;
    for (auto& o : objects)
      if (o.key == key) o.alive = false;
    tombstones.insert(key);
    if (auto row = ledger.find(key.instance); row != ledger.end() && row->second.epoch == key.epoch) row->second.ended = true;
    held.erase(it);
  }
  void lose_journal() {
    held.clear();
    tombstones.clear();
  }
  void forget_ledger() { ledger.clear(); }
  /// A lost journal or ledger never makes a dead thing alive; a live one stays alive until its latest end.
  void step() {
    now = now + millis{static_cast<std::int64_t>(below(120'000))};
    switch (below(12)) {
      case 0: case 1: case 2: case 3: return launch();
      case 4: case 5: case 6: return end();
      case 7: if (below(6) == 0) lose_journal(); return;
      case 8: if (below(6) == 0) forget_ledger(); return;
      default: return;
    }
  }
  runtime_object as_listed(const object& o) const {
    auto r = object_of(o.key, o.kind);
    r.age_ms = (now - o.made).count();
    r.labels[labels::expires_max] = to_rfc3339(o.made + millis{7'200'000});
    return r;
  }
  reap_knowledge known() const {
    auto k = knowledge();
    k.now = now;
    k.held = held;
    k.tombstones = tombstones;
    k.ledger = ledger;
    return k;
  }
};

TEST(reconcile_property, never_removes_a_live_one_and_removes_every_orphan_in_the_end) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    world w(seed);
    std::size_t removed = 0;
    auto reap = [&] {
      auto k = w.known();
      std::erase_if(w.objects, [&](auto& o) {
        if (judge_object(w.as_listed(o), k).action != reap_action::remove) return false;
        const bool latest_end_passed = w.now >= o.made + millis{7'200'000};
        EXPECT_TRUE(!o.alive || (latest_end_passed && !w.held.contains(o.key))) << "seed " << seed << ": removed a live " << o.key.instance.value;
        EXPECT_GE((w.now - o.made).count(), 60'000) << "seed " << seed << ": removed a young one";
        ++removed;
        return true;
      });
    };
    for (int i = 0; i < 300; ++i) {
      w.step();
      reap();
    }
    w.now = w.now + millis{7'200'000 + 60'000};
    reap();
    for (auto& o : w.objects)
      EXPECT_TRUE(w.held.contains(o.key) || w.ledger[o.key.instance].epoch == o.key.epoch) << "seed " << seed << ": an orphan stays: " << o.key.instance.value;
    EXPECT_GT(removed, 0u) << "seed " << seed;
  }
}

} // namespace
} // namespace poseidon
