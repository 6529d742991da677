// When an edge fails its load balancer's check because its machine's node drains.

#include "nodes/drain_watch.hpp"

#include "test/support/actor_fixture.hpp"
#include "test/support/fold_ledger.hpp"

namespace poseidon {
namespace {

using namespace test;

std::map<node_name, std::shared_ptr<const node_row>> rows(std::initializer_list<std::tuple<const char*, const char*, node_mode, bool>> all) {
  std::map<node_name, std::shared_ptr<const node_row>> made;
  for (auto& [name, machine, mode, lost] : all) {
    auto row = std::make_shared<node_row>();
    row->name = {name};
    row->machine = {machine};
    row->mode = mode;
    row->lost = lost;
    made[row->name] = row;
  }
  return made;
}

TEST(edge_drains, with_the_node_of_its_own_name) {
  const auto nodes = rows({{"n1", "m", node_mode::draining, false}, {"n2", "m", node_mode::ready, false}});
  EXPECT_TRUE(edge_drains(nodes, {"m"}, {"n1"}));
  EXPECT_FALSE(edge_drains(nodes, {"m"}, {"n2"}));
}

TEST(edge_drains, in_a_process_of_its_own_with_all_nodes_of_its_machine) {
  EXPECT_FALSE(edge_drains({}, {"m"}, {"e"}));
  EXPECT_FALSE(edge_drains(rows({{"n1", "m", node_mode::draining, false}, {"n2", "m", node_mode::cordoned, false}}), {"m"}, {"e"}));
  EXPECT_TRUE(edge_drains(rows({{"n1", "m", node_mode::draining, false}, {"n2", "m", node_mode::draining, false}}), {"m"}, {"e"}));
  EXPECT_TRUE(edge_drains(rows({{"n1", "m", node_mode::draining, false}, {"n2", "m", node_mode::ready, true}}), {"m"}, {"e"})) << "n2 is lost";
  EXPECT_FALSE(edge_drains(rows({{"n1", "other", node_mode::draining, false}}), {"m"}, {"n1"})) << "of another machine";
}

struct drain_watch_test : actor_test {
  std::shared_ptr<fold_ledger> ledger = std::make_shared<fold_ledger>(time);
  ledger_actor ledger_handle = spawn_fold_ledger(system, ledger);
  std::vector<bool> told;
  drain_watch_actor watch;

  void spawn() {
    drain_watch_deps deps;
    deps.ledger = ledger_handle;
    deps.timers = world.timers;
    deps.clock = std::shared_ptr<const clock>(&time, [](auto*) {});
    deps.machine = {"m"};
    deps.name = {"n1"};
    deps.tell = [this](bool draining) { told.push_back(draining); };
    watch = spawn_drain_watch(system, std::move(deps));
    run();
  }
  void mark(node_mode mode) {
    ledger->put(set_node_mode_entry{{"n1"}, mode, 0, false});
    run();
  }
  drain_watch_test() {
    node_up_entry up;
    up.node = {"n1"};
    up.run = {1, 1};
    up.data = {1, 1};
    up.machine = {"m"};
    up.incarnation = 1;
    ledger->put(up);
  }
  ~drain_watch_test() override {
    for (auto& a : {caf::actor_cast<caf::actor>(watch), caf::actor_cast<caf::actor>(ledger_handle)}) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    watch = nullptr;
    ledger->subscribers.clear();
    run();
  }
};

TEST_F(drain_watch_test, tells_of_the_drain_and_of_its_end) {
  spawn();
  EXPECT_TRUE(told.empty());
  mark(node_mode::draining);
  EXPECT_EQ(told, (std::vector<bool>{true}));
  mark(node_mode::draining);
  EXPECT_EQ(told.size(), 1u) << "once";
  mark(node_mode::ready);
  EXPECT_EQ(told, (std::vector<bool>{true, false}));
}

TEST_F(drain_watch_test, finds_a_drain_that_was_there_before_it) {
  mark(node_mode::draining);
  spawn();
  EXPECT_EQ(told, (std::vector<bool>{true}));
}

TEST_F(drain_watch_test, asks_again_while_the_ledger_is_silent) {
  ledger->silent = true;
  mark(node_mode::draining);
  spawn();
  advance(millis{6'000});
  EXPECT_TRUE(told.empty());
  ledger->silent = false;
  advance(millis{8'000});
  EXPECT_EQ(told, (std::vector<bool>{true}));
}

} // namespace
} // namespace poseidon
