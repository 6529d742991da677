// The queue (rule 1): first come first served within an owner key, round robin between them, no overtaking by smaller
// ones, places; served by every release.

#include "test/actors/fold/world.hpp"

namespace poseidon {
namespace {

/// One node that holds one instance of "slot"; "hog" has it.
struct busy : world {
  busy() {
    node("n1", 1024, 4000, 1);
    for (const auto* c : {"a", "b", "c", "d"}) challenge(c);
    start("hog", "a");
  }
  /// Ends whoever runs; answers who is next.
  std::string next() {
    std::string runs;
    state.instances.each([&](row_number, const fold_row& r) {
      if (r.phase == ledger_phase::assigned) runs = r.id.value;
    });
    ended(runs);
    std::string now;
    state.instances.each([&](row_number, const fold_row& r) {
      if (r.phase == ledger_phase::assigned) now = r.id.value;
    });
    return now;
  }
};

TEST(queue, is_fair_between_owner_keys) {
  busy w;
  w.start("alice", "a"), w.start("alice", "b"), w.start("alice", "c"); // i2 i3 i4
  w.start("bob", "a"), w.start("bob", "b");                           // i5 i6
  w.start("carol", "a");                                              // i7
  std::vector<std::string> order;
  for (int i = 0; i < 6; ++i) order.push_back(w.next());
  EXPECT_EQ(order, (std::vector<std::string>{"i2", "i5", "i7", "i3", "i6", "i4"}));
  EXPECT_EQ(w.state.waiting, 0u);
}

TEST(queue, places_say_how_many_come_first) {
  busy w;
  w.start("alice", "a"), w.start("alice", "b"), w.start("bob", "a"), w.start("carol", "a");
  const auto place = [&](const char* id) { return find_row(w.state, {id})->queue_position; };
  EXPECT_EQ(place("i2"), 1u);
  EXPECT_EQ(place("i4"), 2u);
  EXPECT_EQ(place("i5"), 3u);
  EXPECT_EQ(place("i3"), 4u);
  w.cancel("i2");
  EXPECT_EQ(place("i3"), 1u) << "alice's lane begins with its oldest";
  EXPECT_EQ(place("i4"), 2u);
}

TEST(queue, whoever_was_served_goes_behind) {
  busy w;
  w.start("alice", "a");
  EXPECT_EQ(w.next(), "i2");
  w.start("bob", "a"), w.start("alice", "b");
  EXPECT_EQ(w.next(), "i3");
  EXPECT_EQ(w.next(), "i4");
}

TEST(queue, a_large_one_is_not_starved_by_smaller_ones) {
  world w;
  w.node("n1", 1024);
  w.challenge("large", make_spec(1024)), w.challenge("small", make_spec(256));
  w.start("a", "small");                                             // i1
  EXPECT_EQ(w.start("b", "large").kind, verdict_kind::queued);       // i2
  EXPECT_EQ(w.start("c", "small").kind, verdict_kind::queued) << "it would fit, but i2 waits for the node"; // i3
  w.ended("i1");
  EXPECT_EQ(w.row("i2").phase, ledger_phase::assigned);
  EXPECT_EQ(w.row("i3").phase, ledger_phase::queued);
  w.ended("i2");
  EXPECT_EQ(w.row("i3").phase, ledger_phase::assigned);
}

TEST(queue, what_waits_for_one_node_leaves_the_others_free) {
  world w;
  w.node("big", 1024), w.node("small", 512);
  w.challenge("large", make_spec(1024)), w.challenge("half", make_spec(512));
  w.start("a", "large");
  EXPECT_EQ(w.start("b", "large").kind, verdict_kind::queued);
  EXPECT_EQ(w.start("c", "half").kind, verdict_kind::accepted);
  EXPECT_EQ(w.row("i3").node.value, "small");
}

TEST(queue, one_end_may_let_several_in) {
  world w;
  w.node("n1", 1024);
  w.challenge("large", make_spec(1024)), w.challenge("small", make_spec(256));
  w.start("a", "large");
  for (const auto* user : {"b", "c", "d", "e"}) EXPECT_EQ(w.start(user, "small").kind, verdict_kind::queued);
  w.ended("i1");
  EXPECT_EQ(w.node_of("n1").instances, 4u);
  EXPECT_EQ(w.change.instances.size(), 5u);
}

TEST(queue, is_served_when_limits_or_nodes_change) {
  world w;
  w.node("n1", 1024, 4000, 10);
  w.challenge("web");
  w.limits([](auto& l) { l.per_node = 1; });
  w.start("a"), w.start("b"), w.start("c");
  EXPECT_EQ(w.row("i2").phase, ledger_phase::queued);
  w.limits([](auto& l) { l.per_node = 2; });
  EXPECT_EQ(w.row("i2").phase, ledger_phase::assigned);
  w.node("n2");
  EXPECT_EQ(w.row("i3").node.value, "n2");
}

TEST(queue, survives_a_snapshot_with_its_turns) {
  busy w;
  w.start("alice", "a"), w.start("alice", "b"), w.start("bob", "a"), w.start("bob", "b");
  EXPECT_EQ(w.next(), "i2");
  const auto encoded = encode_snapshot(w.state);
  auto decoded = decode_snapshot(encoded.bytes, encoded.digest);
  ASSERT_TRUE(decoded);
  w.state = std::move(*decoded);
  EXPECT_EQ(w.next(), "i4");
  EXPECT_EQ(w.next(), "i3");
  EXPECT_EQ(w.next(), "i5");
}

} // namespace
} // namespace poseidon
