#pragma once
// One instance actor among fakes, under virtual time.

#include "actors/instance/instance.hpp"
#include "test/support/actor_fixture.hpp"
#include "test/support/fake_ports.hpp"

namespace poseidon::test {

using namespace std::chrono_literals;

struct instance_test : actor_test {
  std::shared_ptr<script_book> script = std::make_shared<script_book>();
  std::shared_ptr<fake_engine> engine = std::make_shared<fake_engine>();
  std::shared_ptr<fake_edge> edge = std::make_shared<fake_edge>();
  std::shared_ptr<fake_journal> journal = std::make_shared<fake_journal>();
  std::shared_ptr<instance_deps> deps = std::make_shared<instance_deps>();
  std::shared_ptr<instance_spec> spec = std::make_shared<instance_spec>();
  std::vector<instance_progress> progress;
  std::vector<phase_timing> timings;
  std::string kept_logs;
  std::uint32_t load = 0;
  instance_actor instance;
  bool ended = false;
  caf::error end_reason_seen;

  void SetUp() override {
    deps->runtime = spawn_fake_runtime(system, engine, script);
    deps->probe = spawn_fake_probe(system, script);
    deps->router = spawn_fake_router(system, edge, script);
    deps->journal = spawn_fake_journal(system, journal, script);
    deps->telemetry = system.spawn([this]() -> telemetry_actor::behavior_type {
      return {[this](const instance_progress& m) { progress.push_back(m); }, [this](const phase_timing& m) { timings.push_back(m); }};
    });
    deps->timers = world.timers;
    deps->time = std::shared_ptr<const clock>(std::shared_ptr<void>{}, &time);
    deps->node = {"node-1"};
    deps->run = {1, 1};
    deps->boot_id = "boot-a";
    deps->machine = {"boot-a/1"};
    deps->load_percent = [this] { return load; };
    deps->keep_logs = [this](const group_key&, const std::string& text) { kept_logs = text; };
    spec->services.emplace_back();
    spec->services[0].ports = {{8000, port_protocol::http, "web"}};
    spec->lifetime_ms = 600'000;
    spec->start_limit_ms = 30'000;
    spec->extension = {300'000, 50, 600'000, 90};
  }
  void TearDown() override {
    script->drop();
    if (instance) caf::anon_send_exit(instance, caf::exit_reason::kill);
    instance = nullptr;
    caf::anon_send_exit(deps->runtime, caf::exit_reason::kill);
    caf::anon_send_exit(deps->probe, caf::exit_reason::kill);
    if (deps->router) caf::anon_send_exit(deps->router, caf::exit_reason::kill);
    caf::anon_send_exit(deps->journal, caf::exit_reason::kill);
    if (deps->telemetry) caf::anon_send_exit(deps->telemetry, caf::exit_reason::kill);
    run();
  }

  group_key key() const { return {{"i1"}, {1, 7, {5, 6}}}; }
  journal_record record() {
    journal_record r;
    r.instance = key().instance;
    r.epoch = key().epoch;
    r.owner.user = "alice";
    r.key = {"user:alice"};
    r.challenge = {"hello"};
    r.spec = spec;
    r.host = "abc.localhost";
    r.url = "http://abc.localhost:8081/";
    r.created_at = time.wall_now();
    return r;
  }

  void spawn(journal_record r, bool adopt) {
    ended = false;
    instance = spawn_instance(system, deps, {std::make_shared<const journal_record>(std::move(r)), adopt});
    instance->attach_functor([this](const caf::error& e) {
      ended = true;
      end_reason_seen = e;
    });
    run();
  }
  void launch() { spawn(record(), false); }
  /// The process dies; engine, edge and journal stay as they are.
  void crash() {
    caf::anon_send_exit(instance, caf::exit_reason::kill);
    run();
    caf::anon_send(world.timers, disarm_all{instance});
    instance = nullptr;
    run();
    engine->watchers.clear();
    deps = std::make_shared<instance_deps>(*deps);
    deps->run = {deps->run.high, deps->run.low + 1};
  }
  void adopt() { spawn(*journal->records.at(key()), true); }
  void restart_process() {
    crash();
    adopt();
  }

  phase at() const { return progress.empty() ? phase::assigned : progress.back().phase; }
  bool run_until(phase wanted, millis limit = 60s) {
    return world.advance_until([&] { return at() == wanted; }, limit);
  }
  bool run_until_ended(millis limit = 60s) {
    return world.advance_until([&] { return ended; }, limit);
  }
  void launch_running() {
    launch();
    ASSERT_TRUE(run_until(phase::running));
    ASSERT_EQ(edge->routes.count("abc.localhost"), 1u);
  }
  std::shared_ptr<std::optional<outcome<done>>> stop(end_reason reason = end_reason::stopped, std::string actor = "key:admin") {
    return world.ask_later<outcome<done>>(instance, stop_instance{key().instance, reason, std::move(actor)});
  }
  std::shared_ptr<std::optional<outcome<extended>>> extend() {
    return world.ask_later<outcome<extended>>(instance, extend_instance{key().instance, "key:player"});
  }
  void engine_changes(bool up) {
    engine->away = !up;
    caf::anon_send(instance, engine_changed{up});
    run();
  }
  const ended_entry* end_fact() const { return journal->last<ended_entry>(); }
  /// Everything that an ended instance has to leave behind: nothing.
  void expect_nothing_left() {
    EXPECT_TRUE(ended);
    EXPECT_TRUE(engine->groups.empty());
    EXPECT_TRUE(engine->watchers.empty());
    EXPECT_TRUE(edge->routes.empty());
    EXPECT_TRUE(journal->records.empty());
    EXPECT_EQ(journal->tombstones.size(), 1u);
    std::size_t last_facts = 0;
    for (auto& name : journal->kinds()) last_facts += name == "ended" || name == "refused";
    EXPECT_EQ(last_facts, 1u) << "the slot is released exactly once";
    EXPECT_TRUE(journal->kinds().back() == "ended" || journal->kinds().back() == "refused") << "nothing after the last fact";
    EXPECT_FALSE(world.horizon->wants_tick(time.boot_now() + std::chrono::hours(1000))) << "a timer was left behind";
  }
};

} // namespace poseidon::test
