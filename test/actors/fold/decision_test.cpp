// What subscribers are told of each choice of a node, and what labels and images do in the whole fold.

#include "test/actors/fold/world.hpp"

namespace poseidon {
namespace {

struct decisions : testing::Test, world {
  void labelled(const std::string& name, std::map<std::string, std::string> tags, std::uint64_t memory_mib = 1024) {
    auto up = node_up(name, memory_mib);
    up.tags = std::move(tags);
    put(up);
  }
  void wishful(const std::string& id, placement_spec wish, std::uint64_t memory_mib = 64) {
    auto spec = std::make_shared<instance_spec>(*make_spec(memory_mib));
    spec->placement = std::move(wish);
    challenge(id, spec);
  }
  const placement_decision& told(const std::string& id) const {
    for (const auto& d : change.decisions)
      if (d.instance.value == id) return d;
    throw std::runtime_error("nothing was told of " + id);
  }
  static std::string why_not(const placement_decision& d, const std::string& node) {
    for (const auto& c : d.candidates)
      if (c.node.value == node) return c.why_not;
    return "not named";
  }
};

TEST_F(decisions, a_start_tells_how_every_node_stood) {
  node("n1"), node("n2"), node("tiny", 32), node("away"), node("kept");
  lose("away");
  put(set_node_mode_entry{{"kept"}, node_mode::cordoned});
  challenge("web");
  start("u1");
  start("u2");
  const auto& d = told("i2");
  EXPECT_EQ(d.node.value, "n2");
  EXPECT_EQ(d.reason, "the least loaded of 2 that fit");
  ASSERT_EQ(d.candidates.size(), 5u);
  EXPECT_EQ(d.candidates[0].node.value, "n2");
  EXPECT_EQ(d.candidates[1].node.value, "n1");
  EXPECT_GT(d.candidates[1].score, d.candidates[0].score);
  EXPECT_EQ(why_not(d, "tiny"), "is too small");
  EXPECT_EQ(why_not(d, "away"), "is lost");
  EXPECT_EQ(why_not(d, "kept"), "is cordoned");
  EXPECT_EQ(why_not(d, "n1"), "");
}

TEST_F(decisions, nothing_is_told_of_what_was_not_chosen) {
  node("n1");
  challenge("web");
  start("u1");
  running("i1");
  EXPECT_TRUE(change.decisions.empty());
  EXPECT_EQ(start("u1").kind, verdict_kind::existing);
  EXPECT_TRUE(change.decisions.empty());
}

TEST_F(decisions, from_the_queue_and_by_a_move) {
  node("n1", 64);
  challenge("web");
  start("u1"), start("u2");
  EXPECT_TRUE(change.decisions.empty());
  ended("i1");
  EXPECT_EQ(told("i2").reason, "from the queue: the only node");
  node("n2", 64);
  running("i2");
  put(set_node_mode_entry{{"n1"}, node_mode::draining});
  move("i2", move_reason::drain);
  EXPECT_EQ(told("i2").node.value, "n2");
  EXPECT_EQ(told("i2").reason, "moved off its node: the only node that is ready and fits");
  EXPECT_EQ(why_not(told("i2"), "n1"), "is draining");
  running("i2");
  move("i2", move_reason::reset);
  EXPECT_EQ(told("i2").reason, "reset: it stays on its node");
}

TEST_F(decisions, a_node_that_refuses_is_passed_over_then_the_next_is_taken) {
  node("n1"), node("n2");
  challenge("web");
  start("u1");
  ASSERT_EQ(row("i1").node.value, "n1");
  put(refused_entry{head("i1"), failure{errc::image_missing, "no such image", {}, {}, {}}});
  EXPECT_EQ(row("i1").node.value, "n2");
  EXPECT_EQ(told("i1").reason, "n1 refused it: the only node that is ready and fits");
  EXPECT_EQ(why_not(told("i1"), "n1"), "refused it");
}

TEST_F(decisions, what_requires_a_label_goes_where_it_is) {
  labelled("n1", {{"gpu", "no"}}), labelled("n2", {{"gpu", "yes"}, {"zone", "a"}});
  wishful("learn", {{{"gpu", "yes"}}, {}});
  for (int i = 1; i <= 3; ++i) start("u" + std::to_string(i), "learn");
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(row("i" + std::to_string(i)).node.value, "n2");
  EXPECT_EQ(told("i3").reason, "the only node that is ready and fits");
  EXPECT_EQ(why_not(told("i3"), "n1"), "has no label gpu=yes");
}

TEST_F(decisions, what_no_live_node_can_satisfy_is_refused_with_the_reason) {
  labelled("n1", {}), labelled("n2", {{"gpu", "yes"}}, 32);
  wishful("learn", {{{"gpu", "yes"}}, {}});
  auto v = start("u1", "learn");
  EXPECT_EQ(v.kind, verdict_kind::refused);
  EXPECT_EQ(v.why.code, errc::capacity_exhausted);
  EXPECT_NE(v.why.detail.find("no node with gpu=yes is large enough: memory"), std::string::npos) << v.why.detail;
  lose("n2");
  v = start("u1", "learn");
  EXPECT_EQ(v.why.detail, "no node has the labels that it requires: gpu=yes");
  EXPECT_EQ(state.instances.size(), 0u);
  labelled("n3", {{"gpu", "yes"}});
  EXPECT_EQ(start("u1", "learn").kind, verdict_kind::accepted);
}

TEST_F(decisions, what_waits_for_a_label_holds_no_other_node_up) {
  labelled("n1", {}, 64), labelled("n2", {{"gpu", "yes"}}, 64);
  wishful("learn", {{{"gpu", "yes"}}, {}});
  challenge("web");
  start("u1", "learn"), start("u2", "learn");
  EXPECT_EQ(row("i2").phase, ledger_phase::queued);
  EXPECT_EQ(start("u3").kind, verdict_kind::accepted);
  EXPECT_EQ(row("i3").node.value, "n1");
  put(refused_entry{head("i1"), failure{errc::image_missing, "no such image", {}, {}, {}}});
  EXPECT_EQ(row("i1").phase, ledger_phase::ended) << "no other node has the label";
  EXPECT_EQ(row("i2").node.value, "n2");
}

TEST_F(decisions, a_preferred_label_is_followed_while_it_costs_little) {
  labelled("n1", {}), labelled("n2", {{"zone", "a"}});
  wishful("near", {{}, {{"zone", "a"}}}, 128);
  std::map<std::string, int> on;
  for (int i = 1; i <= 8; ++i) start("u" + std::to_string(i), "near"), ++on[row("i" + std::to_string(i)).node.value];
  EXPECT_GT(on["n2"], on["n1"]);
  EXPECT_GT(on["n1"], 0) << "not at any price";
  wishful("near2", {{}, {{"zone", "a"}}}, 1);
  start("u9", "near2");
  const auto& d = told("i9");
  if (d.node.value == "n2") { EXPECT_EQ(d.reason, "the best of 2 that fit, preferred for zone=a"); }
}

TEST_F(decisions, the_image_counts_for_the_start_that_tells_of_it) {
  node("n1"), node("n2");
  challenge("web");
  auto e = start_of("u1");
  e.loads = {{{"n1"}, 50, 50, false}, {{"n2"}, 100, 100, true}};
  put(e);
  EXPECT_EQ(row("i1").node.value, "n2");
  EXPECT_EQ(told("i1").reason, "the best of 2 that fit, the image is there");
  start("u2");
  EXPECT_EQ(row("i2").node.value, "n1") << "of another start nothing is known";
}

TEST_F(decisions, packing_fills_one_node_first) {
  limits([](auto& l) { l.pack = true; });
  node("n1", 256), node("n2", 256);
  challenge("web");
  for (int i = 1; i <= 6; ++i) start("u" + std::to_string(i));
  EXPECT_EQ(node_of("n1").instances, 4u);
  EXPECT_EQ(node_of("n2").instances, 2u);
  limits([](auto& l) { l.pack = false; });
  ended("i1"), ended("i2"), ended("i3"), ended("i4");
  start("u7");
  EXPECT_EQ(row("i7").node.value, "n1") << "live: the emptier one again";
}

TEST_F(decisions, at_most_sixteen_candidates_are_told_the_chosen_one_first) {
  for (int i = 10; i < 40; ++i) node("n" + std::to_string(i));
  put(set_node_mode_entry{{"n10"}, node_mode::draining});
  challenge("web");
  start("u1");
  const auto& d = told("i1");
  EXPECT_EQ(d.candidates.size(), 16u);
  EXPECT_EQ(d.candidates.front().node, d.node);
  EXPECT_EQ(d.reason, "the least loaded of 29 that fit");
}

TEST_F(decisions, a_drain_says_until_when_and_whether_it_moves) {
  node("n1");
  put(set_node_mode_entry{{"n1"}, node_mode::draining, 60'000, true});
  EXPECT_EQ(node_of("n1").drain_limit_ms, 60'000);
  EXPECT_TRUE(node_of("n1").drain_move);
  EXPECT_EQ(node_of("n1").mode_at, state.at);
  put(set_node_mode_entry{{"n1"}, node_mode::cordoned, 60'000, true});
  EXPECT_EQ(node_of("n1").drain_limit_ms, 0);
  EXPECT_FALSE(node_of("n1").drain_move);
}

} // namespace
} // namespace poseidon
