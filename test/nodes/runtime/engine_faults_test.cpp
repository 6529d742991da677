// An engine that is killed, restarted, paused; a registry that wants a password. Each test has an engine of its own.

#include "actors/reaper/reconcile.hpp"
#include "nodes/runtime/engine/credentials.hpp"
#include "nodes/runtime/engine/probe_image.hpp"
#include "nodes/runtime/engine/process_watch.hpp"
#include "test/nodes/runtime/docker_fixture.hpp"
#include "test/nodes/runtime/private_engine.hpp"

#include <csignal>
#include <random>

namespace poseidon::test {

namespace {

/// Gathers what the watchers are told.
class news {
public:
  void attach(runtime& port) {
    port.watch([this](const service_exited& exit) {
      std::lock_guard lock(mutex_);
      exits_.push_back(exit);
      changed_.notify_all();
    });
    port.watch_engine([this](const engine_changed& change) {
      std::lock_guard lock(mutex_);
      changes_.push_back(change.up);
      changed_.notify_all();
    });
  }
  bool wait_exits(std::size_t count, std::chrono::seconds limit = std::chrono::seconds(60)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return exits_.size() >= count; });
  }
  bool wait_change(bool up, std::chrono::seconds limit = std::chrono::seconds(60)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit,
                             [&] { return std::find(changes_.begin(), changes_.end(), up) != changes_.end(); });
  }
  std::size_t exits() {
    std::lock_guard lock(mutex_);
    return exits_.size();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<service_exited> exits_;
  std::vector<bool> changes_;
};

class engine_faults : public docker_runtime {
protected:
  void SetUp() override {}
  void make(bool live_restore) {
    engine = std::make_unique<private_engine>(live_restore);
    begin(engine->options(cluster));
    heard.attach(*port);
  }
  void TearDown() override {
    port.reset();
    engine.reset();
  }
  /// Looks until the condition holds: other processes give no other sign.
  template <class Condition> static bool until(Condition condition) {
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(millis(20));
    }
    return true;
  }
  news heard;
  std::unique_ptr<private_engine> engine;
};

TEST_F(engine_faults, a_killed_engine_without_live_restore_ends_services_that_can_be_started_again) {
  make(false);
  auto plan = small_plan("a");
  auto first = ensure(plan);
  ASSERT_TRUE(first) << first.error.detail;
  engine->kill();
  EXPECT_TRUE(heard.wait_change(false));
  EXPECT_EQ(ensure(small_plan("b"), millis(2000)).error.code, errc::engine_unavailable);
  engine->start();
  EXPECT_TRUE(heard.wait_change(true));
  ASSERT_TRUE(heard.wait_exits(1));
  auto again = call<group_state>([&](auto to) { port->start_again(plan->key, millis(30000), to); });
  ASSERT_TRUE(again) << again.error.detail;
  EXPECT_TRUE(again->running());
  EXPECT_EQ(again->services[0].where.container, first->services[0].where.container);
  EXPECT_EQ(heard.exits(), 1u);
  EXPECT_TRUE(remove(plan->key));
}

TEST_F(engine_faults, with_live_restore_services_outlive_the_engine_and_can_be_stopped_without_it) {
  make(true);
  auto stays = small_plan("stays"), goes = small_plan("goes");
  auto state = ensure(stays);
  ASSERT_TRUE(state) << state.error.detail;
  ASSERT_TRUE(ensure(goes));
  engine->kill();
  EXPECT_TRUE(heard.wait_change(false));
  EXPECT_TRUE(call<done>([&](auto to) { port->stop(goes->key, "", millis(0), to); })) << "a stop needs no engine";
  engine->start();
  EXPECT_TRUE(heard.wait_change(true));
  auto now = call<group_state>([&](auto to) { port->inspect(stays->key, to); });
  ASSERT_TRUE(now) << now.error.detail;
  EXPECT_EQ(now->services[0].where, state->services[0].where) << "the same process";
  EXPECT_EQ(heard.exits(), 0u);
  ::kill(now->services[0].where.pid, SIGKILL);
  EXPECT_TRUE(heard.wait_exits(1)) << "still watched";
  EXPECT_TRUE(remove(stays->key));
  EXPECT_TRUE(remove(goes->key));
}

TEST_F(engine_faults, a_hanging_engine_is_a_timeout_and_what_it_makes_late_is_swept) {
  auto make_short = [&] {
    engine = std::make_unique<private_engine>(false);
    auto options = engine->options(cluster);
    options.list_period = millis(500);
    begin(options);
  };
  make_short();
  auto plan = small_plan("late");
  engine->pause();
  auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(ensure(plan, millis(1500)).error.code, errc::engine_timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(4));
  taken<done> removed;
  port->remove(plan->key, removed.taker());
  engine->go_on();
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  auto containers = [&] { return json::parse(engine->call("GET", "/containers/json?all=1")).size(); };
  while ((!removed.there() || containers() != 0) && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  EXPECT_TRUE(removed.there());
  EXPECT_EQ(containers(), 0u);
}

TEST_F(engine_faults, an_engine_killed_during_thirty_starts_leaves_nothing_twice) {
  engine = std::make_unique<private_engine>(true);
  auto options = engine->options(cluster);
  options.shim_age = millis(0);
  begin(options);
  std::vector<launch_plan_ptr> plans;
  std::vector<taken<group_state>> answers(30);
  for (int i = 0; i < 30; ++i)
    plans.push_back(small_plan("many" + std::to_string(i)));
  for (std::size_t i = 0; i < 30; ++i)
    port->ensure(plans[i], millis(90000), {}, answers[i].taker());
  auto some = [&] { return std::count_if(answers.begin(), answers.end(), [](auto& one) { return one.there(); }); };
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (some() < 3 && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  engine->kill();
  engine->start();
  while (some() < 30 && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  ASSERT_EQ(some(), 30);
  // Whatever was told: asked again, each group runs exactly once.
  for (auto& plan : plans) {
    auto state = ensure(plan, millis(60000));
    EXPECT_TRUE(state) << state.error.detail;
  }
  auto all = json::parse(engine->call("GET", "/containers/json?all=1"));
  std::set<std::string> instances;
  for (auto& one : all) {
    auto instance = one["Labels"].value(labels::instance, "");
    if (!instance.starts_with("many")) continue;
    EXPECT_TRUE(instances.insert(instance).second) << instance;
  }
  EXPECT_EQ(instances.size(), 30u);
  // A shim that was missed when its container was made anew is the reaper's affair, as on a node.
  auto reap = [&] {
    auto listed = call<std::vector<runtime_object>>([&](auto to) { port->list(to); });
    if (!listed) return;
    for (auto& object : *listed)
      if (object.kind == object_kind::shim) call<done>([&](auto to) { port->remove_object(object, to); });
  };
  EXPECT_TRUE(until([&] { return reap(), engine->shims().size() == 30u; })) << engine->shims().size() << " shims";
  for (auto& plan : plans) {
    auto gone = remove(plan->key);
    EXPECT_TRUE(gone) << gone.error.detail;
  }
  EXPECT_TRUE(until([&] { return reap(), engine->shims().empty(); })) << engine->shims().size() << " shims are left";
}

TEST_F(engine_faults, a_shim_that_a_killed_engine_forgot_is_swept_and_another_clusters_left_alone) {
  engine = std::make_unique<private_engine>(true);
  auto options = engine->options(cluster);
  options.shim_age = millis(0);
  begin(options);
  test_cluster another;
  auto theirs_options = engine->options(another);
  auto theirs_port = make_docker_runtime(theirs_options);
  ASSERT_TRUE(call<runtime_info>([&](auto to) { theirs_port->start(to); }));
  auto plan = small_plan("ours"), their_plan = small_plan("theirs");
  auto ours = ensure(plan);
  auto theirs = call<group_state>([&](auto to) { theirs_port->ensure(their_plan, millis(30000), {}, to); });
  ASSERT_TRUE(ours && theirs);
  auto our_where = ours->services[0].where, their_where = theirs->services[0].where;
  port.reset(); // the node is away while it happens
  engine->kill();
  for (auto& where : {our_where, their_where})
    engine->forget(where.container.value);
  engine->start();
  begin(options);
  auto all = call<std::vector<runtime_object>>([&](auto to) { port->list(to); });
  ASSERT_TRUE(all) << all.error.detail;
  std::erase_if(*all, [](auto& object) { return object.kind != object_kind::shim; });
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ(all->front().id, our_where.container.value);
  // What the reaper makes of it.
  reap_knowledge known{cluster.name(), node_name{"test-node"}, wall_time{1'700'000'100'000}, millis(0), {}, {}, {}};
  auto judged = reconcile(*all, known);
  ASSERT_EQ(judged.size(), 1u);
  EXPECT_EQ(judged[0].verdict.action, reap_action::remove) << judged[0].verdict.why;
  known.safety_window = millis(60000);
  EXPECT_EQ(reconcile(*all, known)[0].verdict.action, reap_action::keep) << "a young one is left";
  auto removed = call<done>([&](auto to) { port->remove_object(judged[0].object, to); });
  EXPECT_TRUE(removed) << removed.error.detail;
  auto runs = [](const endpoint& where) { return engine::read_start_ticks(where.pid) == where.start_ticks; };
  EXPECT_TRUE(until([&] { return !runs(our_where) && !engine->shims().count(our_where.container.value); }));
  EXPECT_TRUE(runs(their_where));
  EXPECT_TRUE(engine->shims().count(their_where.container.value));
  // Whoever made it ends it, known to the engine or not.
  auto gone = call<done>([&](auto to) { theirs_port->remove(their_plan->key, to); });
  EXPECT_TRUE(gone) << gone.error.detail;
  EXPECT_TRUE(until([&] { return !runs(their_where) && !engine->shims().count(their_where.container.value); }));
}

class registry : public engine_faults {
protected:
  void SetUp() override {
    engine = std::make_unique<private_engine>(false);
    engine->start_registry();
    auto options = engine->options(cluster);
    config = folder.path() + "/config.json";
    options.docker_config = config;
    begin(options);
    push();
  }
  /// An image with 24 MiB that do not compress, so that its download takes a moment; pushed, then forgotten by the
  /// engine.
  void push() {
    std::mt19937_64 random(1);
    std::string ballast(24u << 20, '\0');
    for (std::size_t i = 0; i + 8 <= ballast.size(); i += 8) {
      auto word = random();
      std::memcpy(ballast.data() + i, &word, 8);
    }
    auto program = std::string(engine::probe_program());
    auto archive = engine::make_tar({{"probe", program, 0755}, {"ballast", ballast, 0644}});
    unsigned status = 0;
    engine->call(
        "POST", "/images/create?fromSrc=-&repo=127.0.0.1:5000/team/web&tag=1&changes=ENTRYPOINT%20%5B%22%2Fprobe%22%5D",
        archive, &status, "application/x-tar");
    ASSERT_EQ(status, 200u);
    engine::registry_login login{"127.0.0.1:5000", "player", secret("s3cret"), {}};
    auto said = engine->call("POST", "/images/127.0.0.1:5000/team/web/push?tag=1", {}, &status, "application/json",
                             engine::auth_header(login).reveal());
    ASSERT_EQ(said.find("errorDetail"), std::string::npos) << said;
    forget();
  }
  void forget() { engine->call("DELETE", "/images/127.0.0.1:5000/team/web:1?force=1"); }
  void log_in(const std::string& password) {
    std::ofstream(config)
        << json{{"auths", {{"127.0.0.1:5000", {{"auth", engine::base64_encode("player:" + password, false)}}}}}}.dump();
  }
  std::shared_ptr<launch_plan> plan_of(const std::string& instance, const std::string& image) {
    auto plan = small_plan(instance);
    auto& service = spec_of(*plan).services[0];
    service.image = image;
    service.pull = pull_mode::missing;
    service.command.clear();
    service.ports = {{7411, port_protocol::tcp, "probe"}};
    return plan;
  }
  scratch_folder folder;
  std::string config;
};

TEST_F(registry, a_missing_image_is_pulled_with_the_configured_login_and_tells_its_progress) {
  log_in("s3cret");
  std::mutex mutex;
  std::vector<std::uint32_t> percents;
  auto plan = plan_of("pull", "127.0.0.1:5000/team/web:1");
  auto state = call<group_state>([&](auto to) {
    port->ensure(
        plan, millis(60000),
        [&](const group_progress& now) {
          std::lock_guard lock(mutex);
          if (now.step == group_step::pulling && now.percent) percents.push_back(*now.percent);
        },
        to);
  });
  ASSERT_TRUE(state) << state.error.detail;
  EXPECT_TRUE(state->running());
  std::lock_guard lock(mutex);
  EXPECT_TRUE(std::is_sorted(percents.begin(), percents.end()));
  ASSERT_GE(percents.size(), 3u) << "beginning, something in between, end";
  EXPECT_EQ(percents.front(), 0u);
  EXPECT_EQ(percents.back(), 100u);
}

TEST_F(registry, many_starts_of_a_missing_image_share_one_pull) {
  log_in("s3cret");
  std::vector<taken<group_state>> answers(8);
  for (std::size_t i = 0; i < answers.size(); ++i)
    port->ensure(plan_of("share" + std::to_string(i), "127.0.0.1:5000/team/web:1"), millis(60000), {},
                 answers[i].taker());
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(90);
  auto all = [&] { return std::all_of(answers.begin(), answers.end(), [](auto& one) { return one.there(); }); };
  while (!all() && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  for (auto& answer : answers)
    EXPECT_TRUE(answer.value()) << answer.value().error.detail;
}

TEST_F(registry, without_or_with_a_wrong_login_the_image_is_denied) {
  auto plan = plan_of("denied", "127.0.0.1:5000/team/web:1");
  EXPECT_EQ(ensure(plan).error.code, errc::image_denied);
  log_in("wrong");
  auto state = ensure(plan);
  EXPECT_EQ(state.error.code, errc::image_denied) << state.error.detail;
  EXPECT_EQ(state.error.detail.find("wrong"), std::string::npos) << "no password in an error";
}

TEST_F(registry, a_missing_tag_is_image_missing_and_a_dead_registry_image_pull_failed) {
  log_in("s3cret");
  EXPECT_EQ(ensure(plan_of("tag", "127.0.0.1:5000/team/web:nope")).error.code, errc::image_missing);
  engine->stop_registry();
  auto state = ensure(plan_of("dead", "127.0.0.1:5000/team/web:1"));
  EXPECT_EQ(state.error.code, errc::image_pull_failed) << state.error.detail;
  auto plan = plan_of("never", "127.0.0.1:5000/team/web:1");
  spec_of(*plan).services[0].pull = pull_mode::never;
  EXPECT_EQ(ensure(plan).error.code, errc::image_missing);
}

TEST_F(registry, a_stop_cuts_a_pull_short) {
  log_in("s3cret");
  auto plan = plan_of("cut", "127.0.0.1:5000/team/web:1");
  taken<group_state> answer;
  taken<done> removed;
  port->ensure(
      plan, millis(60000),
      [&](const group_progress& now) {
        if (now.step == group_step::pulling && now.percent == 0u && !removed.there())
          port->remove(plan->key, removed.taker());
      },
      answer.taker());
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while ((!answer.there() || !removed.there()) && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  ASSERT_TRUE(answer.there());
  EXPECT_EQ(answer.value().error.code, errc::superseded);
  EXPECT_TRUE(removed.value()) << removed.value().error.detail;
}

} // namespace
} // namespace poseidon::test
