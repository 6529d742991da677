#include "actors/reaper/reaper.hpp"

#include "test/support/actor_fixture.hpp"
#include "test/support/listed_engine.hpp"
#include "test/support/fold_ledger.hpp"
#include "test/support/memory_journal.hpp"

namespace poseidon {
namespace {

using namespace test;

struct reaper_test : actor_test {
  std::shared_ptr<fold_ledger> ledger = std::make_shared<fold_ledger>(time);
  memory_journal_ptr disk = std::make_shared<memory_journal>();
  listed_engine_ptr engine = std::make_shared<listed_engine>();
  ledger_actor ledger_handle = spawn_fold_ledger(system, ledger);
  journal_actor journal_handle = spawn_memory_journal(system, disk, ledger_handle);
  runtime_actor runtime_handle = spawn_listed_engine(system, engine);
  reaper_actor reaper;
  reaper_deps deps;

  reaper_test() {
    deps.cluster = "c1";
    deps.node = {"n1"};
    deps.clock = std::shared_ptr<const clock>(&time, [](auto*) {});
    deps.ledger = ledger_handle;
    deps.journal = journal_handle;
    deps.runtime = runtime_handle;
    deps.timers = world.timers;
    reaper = spawn_reaper(system, deps);
    run();
  }
  ~reaper_test() override {
    deps = {};
    for (auto a : {caf::actor_cast<caf::actor>(reaper), caf::actor_cast<caf::actor>(journal_handle), caf::actor_cast<caf::actor>(runtime_handle),
                   caf::actor_cast<caf::actor>(ledger_handle)})
      caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    engine->watchers.clear();
    engine->group_watchers.clear();
    run();
  }
  static group_key key(const std::string& id, std::uint64_t n) { return {{id}, {1, n, {1, n}}}; }
  void dead(const group_key& k) {
    inventory_item t;
    t.instance = k.instance;
    t.epoch = k.epoch;
    t.tombstone = true;
    disk->tombstones[k] = t;
  }
  outcome<garbage_report> collect(bool dry_run = false) { return *world.answer_now<outcome<garbage_report>>(reaper, collect_garbage{dry_run}); }
};

TEST_F(reaper_test, removes_orphans_of_every_kind_in_order_and_nothing_else) {
  auto gone = key("gone", 1), alive = key("alive", 2);
  dead(gone);
  auto record = std::make_shared<journal_record>();
  record->instance = alive.instance;
  record->epoch = alive.epoch;
  disk->records[alive] = record;
  for (auto kind : {object_kind::volume, object_kind::network, object_kind::shim, object_kind::container}) {
    engine->put(gone, kind, 600'000);
    engine->put(alive, kind, 600'000);
  }
  auto& foreign = engine->put(key("gone", 3), object_kind::container, 600'000);
  foreign.labels[labels::cluster] = "other";
  auto report = collect();
  ASSERT_TRUE(report.ok()) << report.error.detail;
  EXPECT_EQ(report->removed.size(), 4u);
  EXPECT_EQ(report->kept.size(), 4u);
  ASSERT_EQ(engine->removed.size(), 4u);
  const auto id = listed_engine::id_of(gone);
  EXPECT_EQ(engine->removed, (std::vector<std::string>{id, "shim-" + id, "network-" + id, "volume-" + id}));
  EXPECT_EQ(engine->objects.size(), 5u);
}

TEST_F(reaper_test, a_dry_run_removes_nothing) {
  dead(key("gone", 1));
  engine->put(key("gone", 1), object_kind::container, 600'000);
  auto report = collect(true);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->removed.size(), 1u);
  EXPECT_EQ(engine->objects.size(), 1u);
}

TEST_F(reaper_test, runs_by_itself_and_respects_the_window) {
  dead(key("gone", 1));
  engine->put(key("gone", 1), object_kind::container, 1'000);
  advance(deps.first_run + millis{1});
  EXPECT_EQ(engine->objects.size(), 1u);
  engine->objects.begin()->second.age_ms = 60'000;
  advance(deps.period + millis{1});
  EXPECT_TRUE(engine->objects.empty());
}

TEST_F(reaper_test, runs_when_the_engine_is_back) {
  dead(key("gone", 1));
  engine->put(key("gone", 1), object_kind::container, 600'000);
  engine->down = true;
  EXPECT_EQ(collect().error.code, errc::engine_unavailable);
  engine->down = false;
  caf::anon_send(reaper, engine_changed{true});
  run();
  EXPECT_TRUE(engine->objects.empty());
}

TEST_F(reaper_test, removes_nothing_when_journal_or_ledger_do_not_answer) {
  dead(key("gone", 1));
  engine->put(key("gone", 1), object_kind::container, 600'000);
  disk->failing = true;
  EXPECT_FALSE(collect().ok());
  EXPECT_EQ(engine->objects.size(), 1u);
  disk->failing = false;
  ledger->silent = true;
  auto answer = world.ask_later<outcome<garbage_report>>(reaper, collect_garbage{});
  advance(deps.ask_timeout + millis{10});
  ASSERT_TRUE(answer->has_value() && !(*answer)->ok());
  EXPECT_EQ(engine->objects.size(), 1u);
  ledger->silent = false;
  EXPECT_TRUE(collect().ok());
  EXPECT_TRUE(engine->objects.empty());
}

TEST_F(reaper_test, what_can_not_be_removed_is_reported_and_does_not_stop_the_rest) {
  for (std::uint64_t n = 1; n <= 9; ++n) {
    dead(key("gone", n));
    engine->put(key("gone", n), object_kind::container, 600'000);
  }
  engine->stuck.insert(listed_engine::id_of(key("gone", 5)));
  auto report = collect();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->removed.size(), 8u);
  ASSERT_EQ(report->kept.size(), 1u);
  EXPECT_NE(report->kept[0].find("busy"), std::string::npos);
}

TEST_F(reaper_test, requests_at_the_same_time_each_get_a_run_and_too_many_a_refusal) {
  std::vector<std::shared_ptr<std::optional<outcome<garbage_report>>>> answers;
  for (int i = 0; i < 3; ++i) answers.push_back(world.ask_later<outcome<garbage_report>>(reaper, collect_garbage{true}));
  run();
  for (auto& a : answers) EXPECT_TRUE(a->has_value() && (*a)->ok());
}

} // namespace
} // namespace poseidon
