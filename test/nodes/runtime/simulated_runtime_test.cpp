// What only the simulated engine can do on demand: faults, and exact repetition.

#include "nodes/runtime/simulated_runtime.hpp"
#include "test/nodes/runtime/contract.hpp"
#include "test/nodes/runtime/engine_fixture.hpp"
#include "test/nodes/runtime/virtual_timer.hpp"

namespace poseidon::test {

namespace {

struct simulation {
  explicit simulation(std::uint64_t seed = 1)
      : engine(std::make_shared<simulated_engine>(timer.later(), timer.clock(), seed)),
        port(make_simulated_runtime(engine, "test", "n1", timer.later())) {}
  taken<group_state> ensure(const launch_plan_ptr& plan, millis timeout = millis(5000)) {
    taken<group_state> answer;
    port->ensure(plan, timeout, {}, answer.taker());
    return answer;
  }
  virtual_timer timer;
  std::shared_ptr<simulated_engine> engine;
  std::unique_ptr<runtime> port;
};

TEST(simulated_runtime, a_lost_reply_ends_as_a_timeout_and_the_container_is_there) {
  simulation world;
  world.engine->faults.lost_replies = 1000;
  auto plan = small_plan("a");
  auto answer = world.ensure(plan);
  world.timer.run_for(millis(4999));
  EXPECT_FALSE(answer.there());
  world.timer.run_for(millis(2));
  ASSERT_TRUE(answer.there());
  EXPECT_EQ(answer.value().error.code, errc::engine_timeout);
  EXPECT_EQ(world.engine->groups().size(), 1u);
  world.engine->faults.lost_replies = 0;
  auto again = world.ensure(plan);
  world.timer.run_for(millis(1000));
  ASSERT_TRUE(again.value()) << again.value().error.detail;
  EXPECT_EQ(world.engine->running(), 1u);
}

TEST(simulated_runtime, a_hanging_engine_launches_late) {
  simulation world;
  world.engine->hang();
  auto answer = world.ensure(small_plan("a"), millis(1000));
  world.timer.run_for(millis(1001));
  EXPECT_EQ(answer.value().error.code, errc::engine_timeout);
  EXPECT_TRUE(world.engine->groups().empty());
  world.engine->resume();
  world.timer.run_for(millis(100));
  EXPECT_EQ(world.engine->groups().size(), 1u) << "the create was only late";
  EXPECT_EQ(answer.count(), 1);
}

TEST(simulated_runtime, an_engine_that_is_down_is_unavailable_and_its_watcher_hears_of_it) {
  simulation world;
  std::vector<bool> heard;
  world.port->watch_engine([&](const engine_changed& change) { heard.push_back(change.up); });
  world.engine->go_down();
  auto answer = world.ensure(small_plan("a"));
  world.timer.run_for(millis(100));
  EXPECT_EQ(answer.value().error.code, errc::engine_unavailable);
  world.engine->come_back(true);
  world.timer.run_for(millis(100));
  EXPECT_EQ(heard, (std::vector<bool>{false, true}));
}

TEST(simulated_runtime, an_engine_restart_without_live_restore_stops_everything_and_each_end_is_told_once) {
  simulation world;
  std::vector<std::string> ended;
  world.port->watch([&](const service_exited& exit) { ended.push_back(exit.key.instance.value); });
  auto a = world.ensure(small_plan("a")), b = world.ensure(small_plan("b"));
  world.timer.run_for(millis(100));
  world.engine->go_down();
  world.timer.run_for(millis(100));
  EXPECT_TRUE(ended.empty()) << "nobody could start it again now";
  world.engine->come_back(false);
  world.timer.run_for(millis(100));
  EXPECT_EQ(ended, (std::vector<std::string>{"a", "b"}));
  taken<group_state> again;
  world.port->start_again(small_plan("a")->key, millis(5000), again.taker());
  world.timer.run_for(millis(100));
  ASSERT_TRUE(again.value());
  EXPECT_TRUE(again.value()->running());
}

TEST(simulated_runtime, an_end_while_the_engine_is_down_is_told_when_it_is_back) {
  simulation world;
  int ended = 0;
  world.port->watch([&](const service_exited&) { ++ended; });
  auto plan = small_plan("a");
  world.ensure(plan);
  world.timer.run_for(millis(100));
  world.engine->go_down();
  EXPECT_TRUE(world.engine->crash(plan->key, "main"));
  world.timer.run_for(millis(10000));
  EXPECT_EQ(ended, 0);
  world.engine->come_back(true);
  world.timer.run_for(millis(100));
  EXPECT_EQ(ended, 1);
}

TEST(simulated_runtime, stop_needs_no_engine) {
  simulation world;
  auto plan = small_plan("a");
  world.ensure(plan);
  world.timer.run_for(millis(100));
  world.engine->go_down();
  taken<done> stopped;
  world.port->stop(plan->key, "", millis(0), stopped.taker());
  world.timer.run_for(millis(10));
  EXPECT_TRUE(stopped.value());
  EXPECT_EQ(world.engine->running(), 0u);
}

TEST(simulated_runtime, a_process_that_dies_leaves_its_calls_behind) {
  simulation world;
  world.engine->faults.least_latency = world.engine->faults.most_latency = millis(50);
  auto answer = world.ensure(small_plan("a"));
  world.timer.run_for(millis(10));
  world.port.reset();
  EXPECT_EQ(answer.value().error.code, errc::shutting_down);
  world.timer.run_for(millis(1000));
  EXPECT_EQ(world.engine->groups().size(), 1u) << "a client that leaves cancels nothing";
  EXPECT_EQ(world.engine->running(), 0u) << "but it no longer asks for the start";
}

TEST(simulated_runtime, progress_names_each_step) {
  simulation world;
  auto plan = small_plan("a");
  auto& service = spec_of(*plan).services[0];
  service.pull = pull_mode::missing;
  world.engine->images[service.image].present = false;
  std::vector<group_step> steps;
  taken<group_state> answer;
  world.port->ensure(
      plan, millis(5000), [&](const group_progress& now) { steps.push_back(now.step); }, answer.taker());
  world.timer.run_for(millis(2000));
  ASSERT_TRUE(answer.value());
  EXPECT_EQ(steps, (std::vector<group_step>{group_step::pulling, group_step::pulling, group_step::creating,
                                            group_step::starting}));
}

TEST(simulated_runtime, the_same_seed_is_the_same_story) {
  auto story = [](std::uint64_t seed) {
    simulation world(seed);
    world.engine->faults = {millis(1), millis(200), 100, 100};
    std::string text;
    for (int i = 0; i < 100; ++i)
      world.port->ensure(small_plan("i" + std::to_string(i)), millis(1000), {},
                         [&text, i, &world](outcome<group_state> state) {
                           text += std::to_string(i) + "@" + std::to_string(world.timer.now().count()) + ":" +
                                   std::string(to_string(state.error.code)) + " ";
                         });
    world.timer.run_for(millis(5000));
    return text;
  };
  EXPECT_EQ(story(5), story(5));
  EXPECT_NE(story(5), story(6));
}

TEST(simulated_runtime, two_nodes_of_one_engine_do_not_see_each_other) {
  simulation world;
  auto other = make_simulated_runtime(world.engine, "test", "n2", world.timer.later());
  world.ensure(small_plan("a"));
  world.timer.run_for(millis(100));
  taken<std::vector<runtime_object>> seen;
  other->list(seen.taker());
  world.timer.run_for(millis(100));
  ASSERT_TRUE(seen.value());
  EXPECT_TRUE(seen.value()->empty());
}

} // namespace
} // namespace poseidon::test
