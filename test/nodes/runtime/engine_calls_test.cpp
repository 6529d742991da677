// What the runtime asks of the engine: how often, how long it waits, and what it makes of answers that come late.

#include "test/nodes/runtime/docker_fixture.hpp"
#include "test/nodes/runtime/engine_proxy.hpp"

namespace poseidon::test {

namespace {

using call_counts = std::map<std::string, int>;

class engine_calls : public docker_runtime {
protected:
  void SetUp() override { begin_with([](docker_options&) {}); }
  void TearDown() override { port.reset(); }
  template <class Change> void begin_with(Change change) {
    port.reset();
    auto before = cluster.containers();
    auto options = cluster.options();
    options.engine = proxy.address();
    options.list_period = std::chrono::minutes(10); // a list in between would be counted
    change(options);
    begin(options);
    port->watch([this](const service_exited&) { ++exits; });
    // The probe's container goes in the background.
    while (cluster.containers() > before)
      std::this_thread::yield();
    proxy.forget();
  }
  outcome<std::vector<runtime_object>> list() {
    return call<std::vector<runtime_object>>([&](auto to) { port->list(to); });
  }
  engine_proxy proxy{engine_socket()};
  std::atomic<int> exits{0};
};

TEST_F(engine_calls, a_start_is_three_and_a_stop_with_its_removal_one) {
  auto plan = small_plan("counted");
  ASSERT_TRUE(ensure(plan));
  EXPECT_EQ(proxy.calls(), (call_counts{{"POST /containers/create", 1},
                                        {"POST /containers/*/start", 1},
                                        {"GET /containers/*/json", 1}}));
  proxy.forget();
  EXPECT_TRUE(call<done>([&](auto to) { port->stop(plan->key, "", millis(0), to); }));
  EXPECT_EQ(proxy.calls(), call_counts{}) << "KILL goes to the process itself";
  EXPECT_TRUE(remove(plan->key));
  EXPECT_EQ(proxy.calls(), (call_counts{{"DELETE /containers/*", 1}}));
}

TEST_F(engine_calls, a_second_service_costs_three_more_and_a_network_two) {
  auto plan = small_plan("pair");
  auto& spec = spec_of(*plan);
  spec.network = network_mode::bridge;
  spec.services.push_back(spec.services[0]);
  spec.services[1].name = "second";
  ASSERT_TRUE(ensure(plan));
  EXPECT_EQ(proxy.calls(), (call_counts{{"POST /networks/create", 1},
                                        {"POST /containers/create", 2},
                                        {"POST /containers/*/start", 2},
                                        {"GET /containers/*/json", 2}}));
  proxy.forget();
  EXPECT_TRUE(remove(plan->key));
  EXPECT_EQ(proxy.calls(), (call_counts{{"DELETE /containers/*", 2}, {"DELETE /networks/*", 1}}));
}

TEST_F(engine_calls, a_list_asks_nothing_about_what_is_held_already) {
  std::vector<std::shared_ptr<launch_plan>> plans;
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(ensure(plans.emplace_back(small_plan("held" + std::to_string(i)))));
  auto inspected = call<group_state>([&](auto to) { port->inspect(plans[0]->key, to); });
  ASSERT_TRUE(inspected) << inspected.error.detail;
  proxy.forget();
  auto all = list();
  ASSERT_TRUE(all) << all.error.detail;
  EXPECT_EQ(proxy.calls(), (call_counts{{"GET /containers/json", 1}, {"GET /networks", 1}, {"GET /volumes", 1}}));
  ASSERT_EQ(all->size(), 5u);
  for (auto& object : *all) {
    EXPECT_TRUE(object.running);
    if (object.labels[labels::instance] == "held0") {
      EXPECT_EQ(object.state, inspected->services[0]);
    }
  }
}

TEST_F(engine_calls, a_list_during_a_remove_tells_of_no_exit) {
  auto plan = small_plan("going");
  ASSERT_TRUE(ensure(plan));
  begin_with([](docker_options&) {}); // a new process: it knows nothing of the group
  proxy.hold("DELETE /containers/*");
  taken<done> removed;
  port->remove(plan->key, removed.taker());
  ASSERT_TRUE(proxy.wait_held(1));
  auto all = list();
  ASSERT_TRUE(all) << all.error.detail;
  EXPECT_EQ(all->size(), 1u) << "it is still there";
  proxy.let_go();
  while (!removed.there())
    std::this_thread::yield();
  EXPECT_TRUE(removed.value()) << removed.value().error.detail;
  // A false exit would be asked about before it is told: what comes after it has seen it.
  EXPECT_TRUE(list()->empty());
  EXPECT_TRUE(ensure(small_plan("later")));
  EXPECT_EQ(exits, 0);
}

TEST_F(engine_calls, an_engine_that_holds_its_answer_back_is_waited_for_as_long_as_the_setting_says) {
  auto plan = small_plan("slow");
  ASSERT_TRUE(ensure(plan));
  begin_with([](docker_options& options) { options.call_timeout = millis(300); });
  proxy.hold("GET /containers/json");
  auto begun = std::chrono::steady_clock::now();
  auto state = call<group_state>([&](auto to) { port->inspect(plan->key, to); });
  EXPECT_EQ(state.error.code, errc::engine_timeout) << state.error.detail;
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5)) << "not the ten that an inspect may take";
  proxy.let_go();
  EXPECT_TRUE(call<group_state>([&](auto to) { port->inspect(plan->key, to); }));
}

TEST_F(engine_calls, only_so_many_pulls_are_under_way_and_each_ends_in_time) {
  begin_with([](docker_options& options) {
    options.concurrent_pulls = 2;
    options.pull_timeout = millis(2000);
  });
  proxy.hold("POST /images/create");
  std::vector<taken<done>> pulled(3);
  for (std::size_t i = 0; i < 3; ++i)
    port->pull("127.0.0.1:1/none:" + std::to_string(i), millis(60000), {}, pulled[i].taker());
  ASSERT_TRUE(proxy.wait_held(2));
  ASSERT_TRUE(list()) << "the runtime has had the time for a third";
  EXPECT_EQ(proxy.held(), 2u);
  auto there = [&](std::size_t count) {
    return std::count_if(pulled.begin(), pulled.end(), [](auto& one) { return one.there(); }) >= std::ptrdiff_t(count);
  };
  while (!there(2))
    std::this_thread::yield();
  ASSERT_TRUE(proxy.wait_held(3)) << "the third has a place now; the proxy still holds the two";
  proxy.let_go();
  while (!there(3))
    std::this_thread::yield();
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(pulled[i].value().error.code, errc::image_pull_failed) << pulled[i].value().error.detail;
  EXPECT_NE(pulled[0].value().error.detail.find("in time"), std::string::npos) << pulled[0].value().error.detail;
}

TEST_F(engine_calls, the_oci_runtime_of_the_node_is_given_to_who_names_none) {
  begin_with([](docker_options& options) { options.oci_runtime = "runc"; });
  auto plan = small_plan("oci");
  ASSERT_TRUE(ensure(plan));
  EXPECT_EQ(described(*plan)["HostConfig"]["Runtime"], "runc");
}

TEST_F(engine_calls, an_oci_runtime_that_the_engine_does_not_have_is_refused_at_the_start) {
  port.reset();
  auto options = cluster.options();
  options.oci_runtime = "no-such-runtime";
  port = make_docker_runtime(options);
  auto info = call<runtime_info>([&](auto to) { port->start(to); });
  EXPECT_EQ(info.error.code, errc::engine_unavailable);
  EXPECT_NE(info.error.detail.find("no OCI runtime no-such-runtime; it has "), std::string::npos) << info.error.detail;
  EXPECT_NE(info.error.detail.find("runc"), std::string::npos) << info.error.detail;
}

} // namespace
} // namespace poseidon::test
