// Placement (rule 1): what fits, weights in integers, reported loads, ties by name, words for what ran out.

#include "actors/fold/placement.hpp"
#include "test/actors/fold/world.hpp"

namespace poseidon {
namespace {

node_row node_with(const std::string& name, std::uint64_t memory, std::uint32_t cpu, std::uint32_t instances = 0) {
  node_row n;
  n.name = {name};
  n.capacity = {memory, cpu, instances};
  return n;
}

instance_spec want(std::uint64_t memory, std::uint32_t cpu) {
  instance_spec spec;
  spec.services.emplace_back();
  spec.reserve = {memory, cpu};
  return spec;
}

TEST(placement, fits_by_memory_cpu_and_number) {
  auto n = node_with("n", 1000, 1000, 2);
  EXPECT_TRUE(fits(n, {1000, 1000}, 0));
  EXPECT_FALSE(fits(n, {1001, 1}, 0));
  EXPECT_FALSE(fits(n, {1, 1001}, 0));
  n.reserved_memory_bytes = 600;
  n.reserved_cpu_millis = 300;
  n.instances = 1;
  EXPECT_TRUE(fits(n, {400, 700}, 0));
  EXPECT_FALSE(fits(n, {401, 1}, 0));
  EXPECT_FALSE(fits(n, {1, 701}, 0));
  EXPECT_FALSE(fits(n, {1, 1}, 1)) << "the limit of every node";
  n.instances = 2;
  EXPECT_FALSE(fits(n, {1, 1}, 0)) << "its own";
  n.capacity.instances = 0;
  EXPECT_TRUE(fits(n, {1, 1}, 0)) << "as many as memory and cpu allow";
}

TEST(placement, more_reserved_than_there_is_fits_nothing) {
  auto n = node_with("n", 1000, 1000);
  n.reserved_memory_bytes = 2000;
  EXPECT_FALSE(fits(n, {0, 0}, 0));
  EXPECT_TRUE(could_hold(n, want(1000, 1000)));
}

TEST(placement, the_least_loaded_wins_and_ties_go_by_name) {
  auto a = node_with("a", 1000, 1000), b = node_with("b", 1000, 1000);
  const limit_table limits;
  std::vector<placement_node> both{{&b, 0, 0}, {&a, 0, 0}};
  EXPECT_EQ(place(both, want(1, 1), limits)->name.value, "a");
  a.reserved_cpu_millis = 1;
  EXPECT_EQ(place(both, want(1, 1), limits)->name.value, "b");
  both[0].cpu_permille = 500; // b, as reported
  EXPECT_EQ(place(both, want(1, 1), limits)->name.value, "a");
  EXPECT_EQ(place({}, want(1, 1), limits), nullptr);
}

TEST(placement, weights_decide_between_resources) {
  auto cpu = node_with("cpu", 1000, 1000), memory = node_with("memory", 1000, 1000);
  cpu.reserved_cpu_millis = 500;
  memory.reserved_memory_bytes = 700;
  std::vector<placement_node> both{{&cpu, 0, 0}, {&memory, 0, 0}};
  limit_table limits;
  EXPECT_EQ(place(both, want(1, 1), limits)->name.value, "memory") << "500*500 against 300*700";
  limits.weight_cpu = 100;
  EXPECT_EQ(place(both, want(1, 1), limits)->name.value, "cpu");
}

TEST(placement, the_score_is_exact) {
  auto n = node_with("n", 1000, 2000, 10);
  n.reserved_memory_bytes = 250;
  n.reserved_cpu_millis = 500;
  n.instances = 3;
  EXPECT_EQ(score({&n, 0, 0}, want(1, 1), limit_table{}), 500u * 250 + 300u * 250 + 200u * 300);
  EXPECT_EQ(score({&n, 600, 100}, want(1, 1), limit_table{}), 500u * 600 + 300u * 250 + 200u * 300);
}

TEST(placement, huge_numbers_do_not_overflow) {
  auto n = node_with("n", ~0ull, ~0u);
  n.reserved_memory_bytes = ~0ull / 2;
  const auto s = score({&n, 0, 0}, want(1, 1), limit_table{});
  EXPECT_NEAR(static_cast<double>(s), 300.0 * 500, 300);
  EXPECT_FALSE(fits(n, {~0ull, 1}, 0));
}

TEST(placement, says_what_ran_out) {
  auto n = node_with("n", 100u << 20, 1000, 1);
  std::vector<placement_node> one{{&n, 0, 0}};
  EXPECT_EQ(shortage({}, want(1, 1), 0), "nodes: none is ready");
  EXPECT_EQ(shortage(one, want(200u << 20, 1), 0), "memory: needs 200 MiB, most free on a node is 100 MiB");
  EXPECT_NE(shortage(one, want(1, 2000), 0).find("cpu"), std::string::npos);
  n.instances = 1;
  EXPECT_NE(shortage(one, want(1, 1), 0).find("instances"), std::string::npos);
}

TEST(placement, a_burst_spreads_by_reservations) {
  world w;
  w.node("n1"), w.node("n2"), w.node("n3");
  w.challenge("web");
  for (int i = 0; i < 9; ++i) w.start("u" + std::to_string(i));
  for (const auto* n : {"n1", "n2", "n3"}) EXPECT_EQ(w.node_of(n).instances, 3u);
}

TEST(placement, the_loads_of_the_entry_count_and_are_remembered) {
  world w;
  w.node("n1"), w.node("n2");
  w.challenge("web");
  auto e = w.start_of("alice");
  e.loads = {{{"n1"}, 900, 100}, {{"n2"}, 100, 100}, {{"gone"}, 0, 0}};
  w.put(e);
  EXPECT_EQ(w.row("i1").node.value, "n2");
  w.start("bob"); // without loads: the last ones told
  EXPECT_EQ(w.row("i2").node.value, "n2");
}

TEST(placement, packing_takes_the_fullest_that_fits_by_what_is_reserved) {
  auto a = node_with("a", 1000, 1000), b = node_with("b", 1000, 1000);
  b.reserved_cpu_millis = b.reserved_memory_bytes = 600;
  limit_table limits;
  limits.pack = true;
  std::vector<placement_node> both{{&a, 900, 900}, {&b, 0, 0}};
  EXPECT_EQ(place(both, want(100, 100), limits)->name.value, "b") << "reported load is not what fills a node";
  EXPECT_EQ(place(both, want(500, 500), limits)->name.value, "a") << "b has no room";
  both[1].cpu_permille = both[1].memory_permille = 1000;
  EXPECT_EQ(place(both, want(100, 100), limits)->name.value, "a") << "b is reported full, or does not answer";
  limits.pack = false;
  b.reserved_cpu_millis = b.reserved_memory_bytes = 950;
  both[1].cpu_permille = both[1].memory_permille = 0;
  EXPECT_EQ(place(both, want(1, 1), limits)->name.value, "a");
}

TEST(placement, required_labels_have_to_be_there_with_their_value) {
  auto a = node_with("a", 1000, 1000), b = node_with("b", 1000, 1000);
  a.reserved_cpu_millis = 900;
  a.tags = {{"gpu", "yes"}, {"zone", "a"}};
  b.tags = {{"gpu", "no"}, {"zone", "a"}};
  std::vector<placement_node> both{{&a, 0, 0}, {&b, 0, 0}};
  auto spec = want(1, 1);
  spec.placement.require = {{"gpu", "yes"}, {"zone", "a"}};
  EXPECT_EQ(place(both, spec, {})->name.value, "a");
  EXPECT_FALSE(could_hold(b, spec));
  EXPECT_EQ(why_not(b, spec, 0), "has no label gpu=yes");
  spec.placement.require["zone"] = "b";
  EXPECT_EQ(place(both, spec, {}), nullptr);
  EXPECT_EQ(shortage(both, spec, 0), "labels: none of the ready nodes has gpu=yes, zone=b");
}

TEST(placement, a_preferred_label_is_worth_a_fixed_part_of_the_load) {
  auto a = node_with("a", 1000, 1000), b = node_with("b", 1000, 1000);
  a.tags = {{"zone", "a"}};
  a.reserved_cpu_millis = a.reserved_memory_bytes = 190;
  std::vector<placement_node> both{{&a, 0, 0}, {&b, 0, 0}};
  auto spec = want(1, 1);
  spec.placement.prefer = {{"zone", "a"}};
  EXPECT_EQ(place(both, spec, {})->name.value, "a");
  EXPECT_EQ(score(both[1], spec, {}), 1000 * placement_points::preferred_label);
  a.reserved_cpu_millis = a.reserved_memory_bytes = 300; // 0.8 * 300 = 240 thousandths
  EXPECT_EQ(place(both, spec, {})->name.value, "b") << "it is not worth more than that";
}

TEST(placement, an_image_that_is_there_never_beats_a_much_emptier_node) {
  auto a = node_with("a", 1000, 1000), b = node_with("b", 1000, 1000);
  a.reserved_cpu_millis = a.reserved_memory_bytes = 120; // 96 thousandths
  std::vector<placement_node> both{{&a, 0, 0, false}, {&b, 0, 0, true}};
  auto spec = want(1, 1);
  EXPECT_EQ(place(both, spec, {})->name.value, "a");
  a.reserved_cpu_millis = a.reserved_memory_bytes = 130; // 104
  EXPECT_EQ(place(both, spec, {})->name.value, "b");
  spec.services.front().pull = pull_mode::never;
  a.reserved_cpu_millis = a.reserved_memory_bytes = 990;
  EXPECT_EQ(place(both, spec, {})->name.value, "a") << "b would have to refuse it";
  a.reserved_cpu_millis = 1000;
  EXPECT_EQ(place(both, spec, {})->name.value, "b") << "what is known may be old: b is asked all the same";
}

TEST(placement, says_why_a_node_can_not_take_one) {
  auto n = node_with("n", 1000, 1000, 2);
  EXPECT_EQ(why_not(n, want(1000, 1000), 0), "");
  EXPECT_EQ(why_not(n, want(1001, 1), 0), "is too small");
  n.reserved_memory_bytes = 1;
  EXPECT_EQ(why_not(n, want(1000, 1000), 0), "has too little memory free");
  n.reserved_memory_bytes = 0;
  n.reserved_cpu_millis = 1;
  EXPECT_EQ(why_not(n, want(1000, 1000), 0), "has too little cpu free");
  n.instances = 1;
  EXPECT_EQ(why_not(n, want(1, 1), 1), "holds as many instances as it may");
}

} // namespace
} // namespace poseidon
