// What is the Docker runtime's own: what its containers are given, its errors, its networks and volumes.

#include "nodes/runtime/engine/names.hpp"
#include "test/nodes/runtime/docker_fixture.hpp"

#include <nlohmann/json.hpp>

#include <csignal>
#include <thread>

namespace poseidon::test {

namespace {

TEST_F(docker_runtime, an_isolated_instance_has_only_a_loopback_and_answers_inside) {
  auto state = ensure(small_plan("net"));
  ASSERT_TRUE(state) << state.error.detail;
  auto& where = state->services[0].where;
  auto interfaces = read_file("/proc/" + std::to_string(where.pid) + "/net/dev");
  EXPECT_NE(interfaces.find("lo:"), std::string::npos);
  EXPECT_EQ(interfaces.find("eth"), std::string::npos) << interfaces;
  auto connected = call<unique_fd>([&](auto to) {
    dial_inside()(where, where.port, millis(2000), [to](outcome<unique_fd> socket) { to(std::move(socket)); });
  });
  EXPECT_TRUE(connected) << connected.error.detail;
}

TEST_F(docker_runtime, the_service_finds_its_environment_and_its_file) {
  auto plan = small_plan("env");
  plan->flag = secret("flag{own}");
  auto state = ensure(plan);
  ASSERT_TRUE(state) << state.error.detail;
  auto& where = state->services[0].where;
  auto environment = read_file("/proc/" + std::to_string(where.pid) + "/environ");
  for (auto entry : {"POSEIDON_INSTANCE=env", "POSEIDON_CHALLENGE=hello", "POSEIDON_USER=alice",
                     "POSEIDON_URL=http://env.localhost:8081/", "POSEIDON_FLAG=flag{own}"})
    EXPECT_NE(environment.find(entry), std::string::npos) << entry;
  EXPECT_EQ(inside(where, "/run/poseidon/flag"), "flag{own}\n");
  EXPECT_TRUE(json::parse(inside(where, "/run/poseidon/instance.json"))["expires_at"].is_null());
  auto later = std::make_shared<launch_plan>(*plan);
  later->expires_at = wall_time{1'700'003'600'000};
  EXPECT_TRUE(call<done>([&](auto to) { port->update_instance_file(later, to); }));
  EXPECT_EQ(json::parse(inside(where, "/run/poseidon/instance.json"))["expires_at"], to_rfc3339(*later->expires_at));
}

TEST_F(docker_runtime, limits_and_security_are_the_engines) {
  auto plan = small_plan("limits");
  ASSERT_TRUE(ensure(plan));
  auto host = described(*plan)["HostConfig"];
  EXPECT_EQ(host["Memory"], 64 << 20);
  EXPECT_EQ(host["PidsLimit"], 64);
  EXPECT_EQ(host["NetworkMode"], "none");
  EXPECT_EQ(host["CapDrop"], json::array({"ALL"}));
  EXPECT_EQ(host["LogConfig"]["Config"]["max-file"], "1");
  EXPECT_EQ(host["AutoRemove"], false);
}

TEST_F(docker_runtime, strict_is_nobody_on_a_read_only_root) {
  auto plan = small_plan("strict");
  auto& service = spec_of(*plan).services[0];
  service.security = security_mode::strict;
  auto state = ensure(plan);
  ASSERT_TRUE(state) << state.error.detail;
  auto status = read_file("/proc/" + std::to_string(state->services[0].where.pid) + "/status");
  EXPECT_NE(status.find("Uid:\t65534\t"), std::string::npos);
  EXPECT_NE(status.find("CapEff:\t0000000000000000"), std::string::npos);
  EXPECT_NE(status.find("NoNewPrivs:\t1"), std::string::npos);
  EXPECT_EQ(described(*plan)["HostConfig"]["ReadonlyRootfs"], true);
}

TEST_F(docker_runtime, a_port_left_to_the_image_is_found) {
  auto plan = small_plan("port");
  spec_of(*plan).services[0].ports.clear();
  auto state = ensure(plan);
  ASSERT_TRUE(state) << state.error.detail;
  EXPECT_EQ(state->services[0].where.port, 8000);
}

TEST_F(docker_runtime, a_bridge_network_comes_and_goes_with_its_instance) {
  auto plan = small_plan("bridge");
  spec_of(*plan).network = network_mode::egress;
  auto state = ensure(plan);
  ASSERT_TRUE(state) << state.error.detail;
  auto path = "/networks/" + engine::group_name({cluster.name(), "test-node"}, plan->key);
  auto network = json::parse(engine_call("GET", path));
  EXPECT_EQ(network["Labels"][labels::instance], "bridge");
  EXPECT_TRUE(network["IPAM"]["Config"][0]["Subnet"].get<std::string>().starts_with("10.201."));
  EXPECT_EQ(network["Containers"].size(), 1u);
  EXPECT_TRUE(ensure(plan)) << "again: the network is adopted";
  EXPECT_TRUE(remove(plan->key));
  unsigned status = 0;
  engine_call("GET", path, {}, &status);
  EXPECT_EQ(status, 404u);
}

TEST_F(docker_runtime, volumes_are_labelled_and_go_with_the_instance) {
  auto plan = small_plan("volume");
  spec_of(*plan).services[0].volumes = {{"work", "/home"}};
  ASSERT_TRUE(ensure(plan));
  auto path = "/volumes/" + engine::volume_name({cluster.name(), "test-node"}, plan->key, "work");
  EXPECT_EQ(json::parse(engine_call("GET", path))["Labels"][labels::instance], "volume");
  EXPECT_TRUE(remove(plan->key));
  unsigned status = 0;
  engine_call("GET", path, {}, &status);
  EXPECT_EQ(status, 404u);
}

TEST_F(docker_runtime, a_restarted_process_still_removes_networks_and_volumes) {
  auto plan = small_plan("left");
  spec_of(*plan).network = network_mode::bridge;
  spec_of(*plan).services[0].volumes = {{"work", "/home"}};
  ASSERT_TRUE(ensure(plan));
  port.reset();
  begin(cluster.options());
  EXPECT_TRUE(remove(plan->key));
  auto all = call<std::vector<runtime_object>>([&](auto to) { port->list(to); });
  ASSERT_TRUE(all);
  for (auto& object : *all)
    EXPECT_NE(object.labels[labels::instance], "left") << object.name;
}

TEST_F(docker_runtime, services_of_an_isolated_group_share_their_loopback_also_after_a_restart) {
  auto plan = small_plan("two");
  auto& spec = spec_of(*plan);
  spec.services.push_back(spec.services[0]);
  spec.services[1].name = "second";
  spec.services[1].ports = {{9000, port_protocol::tcp, "second"}};
  spec.services[1].command = {"httpd", "-f", "-p", "9000", "-h", "/www"};
  auto state = ensure(plan);
  ASSERT_TRUE(state) << state.error.detail;
  ASSERT_EQ(state->services.size(), 2u);
  auto network = [](const service_state& service) {
    char text[64] = {};
    auto path = "/proc/" + std::to_string(service.where.pid) + "/ns/net";
    return ::readlink(path.c_str(), text, sizeof text - 1) > 0 ? std::string(text) : path;
  };
  EXPECT_EQ(network(state->services[0]), network(state->services[1]));
  ::kill(state->services[0].where.pid, SIGKILL);
  auto again = call<group_state>([&](auto to) { port->start_again(plan->key, millis(30000), to); });
  // The first may still have been ending when it was asked for: the second call finds it stopped in any case.
  again = call<group_state>([&](auto to) { port->start_again(plan->key, millis(30000), to); });
  ASSERT_TRUE(again) << again.error.detail;
  EXPECT_TRUE(again->running());
  EXPECT_EQ(network(again->services[0]), network(again->services[1]));
  EXPECT_TRUE(remove(plan->key));
}

TEST_F(docker_runtime, anothers_name_is_a_conflict_and_left_alone) {
  auto plan = small_plan("conflict");
  auto name = engine::container_name({cluster.name(), "test-node"}, plan->key, "main");
  unsigned status = 0;
  engine_call("POST", "/containers/create?name=" + name, R"({"Image":"poseidon-test/busybox"})", &status);
  ASSERT_EQ(status, 201u);
  EXPECT_EQ(ensure(plan).error.code, errc::name_conflict);
  EXPECT_TRUE(remove(plan->key)) << "nothing of ours is there";
  engine_call("GET", "/containers/" + name + "/json", {}, &status);
  EXPECT_EQ(status, 200u) << "it is not ours to remove";
  engine_call("DELETE", "/containers/" + name + "?force=1");
}

TEST_F(docker_runtime, a_command_that_does_not_exist_is_refused_with_the_engines_words) {
  auto plan = small_plan("nocommand");
  spec_of(*plan).services[0].command = {"/no/such/program"};
  auto state = ensure(plan);
  EXPECT_EQ(state.error.code, errc::start_refused) << state.error.detail;
  EXPECT_NE(state.error.detail.find("/no/such/program"), std::string::npos);
}

TEST_F(docker_runtime, an_unknown_oci_runtime_is_an_invalid_spec) {
  auto plan = small_plan("noruntime");
  spec_of(*plan).services[0].runtime = "no-such-runtime";
  EXPECT_EQ(ensure(plan).error.code, errc::invalid_spec);
}

TEST_F(docker_runtime, want_of_memory_is_told) {
  auto plan = small_plan("oom");
  auto& service = spec_of(*plan).services[0];
  service.limits.memory_bytes = 16u << 20;
  service.command = {"sh", "-c", "read x < /run/poseidon/instance.json; exec tail /dev/zero"};
  std::mutex mutex;
  std::condition_variable there;
  std::optional<service_exited> exit;
  port->watch([&](const service_exited& now) {
    std::lock_guard lock(mutex);
    exit = now;
    there.notify_all();
  });
  auto state = ensure(plan);
  if (!state) {
    EXPECT_EQ(state.error.code, errc::out_of_memory) << state.error.detail;
  } else {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(there.wait_for(lock, std::chrono::seconds(30), [&] { return exit.has_value(); }));
    EXPECT_TRUE(exit->out_of_memory);
    EXPECT_EQ(exit->exit_code, 137);
  }
  port.reset(); // the watcher's captures go
}

TEST_F(docker_runtime, output_of_both_streams_comes_in_order_and_ends) {
  auto plan = small_plan("logs");
  spec_of(*plan).services[0].command = {"sh", "-c", "echo one; echo two >&2; sleep 1; echo three"};
  auto state = ensure(plan);
  ASSERT_TRUE(state) << state.error.detail;
  auto text = output(plan->key);
  EXPECT_NE(text.find("one"), std::string::npos);
  EXPECT_NE(text.find("two"), std::string::npos);
  EXPECT_NE(text.find("three"), std::string::npos);
}

TEST_F(docker_runtime, without_privilege_the_engine_sends_the_signals) {
  auto options = cluster.options();
  options.signal = [](const endpoint&, int, std::function<void(failure)> to) {
    to({errc::operation_not_permitted, "no", {}, {}, {}});
  };
  port.reset();
  begin(options);
  auto plan = small_plan("signals");
  ASSERT_TRUE(ensure(plan));
  EXPECT_TRUE(call<done>([&](auto to) { port->stop(plan->key, "", millis(0), to); }));
  auto state = call<group_state>([&](auto to) { port->inspect(plan->key, to); });
  ASSERT_TRUE(state);
  EXPECT_FALSE(state->running());
}

TEST_F(docker_runtime, a_dialer_that_never_answers_does_not_hold_a_stop) {
  auto options = cluster.options();
  options.signal = [](const endpoint&, int, std::function<void(failure)>) {};
  port.reset();
  begin(options);
  auto plan = small_plan("silent");
  ASSERT_TRUE(ensure(plan));
  EXPECT_TRUE(call<done>([&](auto to) { port->stop(plan->key, "", millis(0), to); }));
}

TEST(docker_runtime_start, elsewhere_and_nowhere_are_refused_with_the_reason) {
  test_cluster cluster;
  for (auto address : {"tcp://127.0.0.1:2375", "unix:///nonexistent/docker.sock"}) {
    auto options = cluster.options();
    options.engine = address;
    auto port = make_docker_runtime(options);
    taken<runtime_info> info;
    std::mutex mutex;
    std::condition_variable there;
    port->start([&](outcome<runtime_info> result) {
      info.taker()(std::move(result));
      there.notify_all();
    });
    std::unique_lock lock(mutex);
    ASSERT_TRUE(there.wait_for(lock, std::chrono::seconds(30), [&] { return info.there(); }));
    EXPECT_EQ(info.value().error.code, errc::engine_unavailable);
    EXPECT_NE(info.value().error.detail.find(std::string(address).substr(7)), std::string::npos)
        << info.value().error.detail;
  }
}

TEST(docker_runtime_start, what_cannot_be_reached_inside_is_not_proved) {
  test_cluster cluster;
  auto options = cluster.options();
  options.dial = [](const endpoint&, std::uint16_t, millis, answer<unique_fd> to) {
    to(failure{errc::operation_not_permitted, "no privilege", {}, {}, {}});
  };
  auto port = make_docker_runtime(options);
  taken<runtime_info> info;
  port->start(info.taker());
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!info.there() && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  ASSERT_TRUE(info.there());
  EXPECT_EQ(info.value().error.code, errc::isolation_unproven);
  EXPECT_NE(info.value().error.detail.find("no privilege"), std::string::npos);
}

} // namespace
} // namespace poseidon::test
