#pragma once
// The supervisor with instance actors whose fate the test decides.

#include "actors/supervisor/supervisor.hpp"

#include "test/support/actor_fixture.hpp"
#include "test/support/listed_engine.hpp"
#include "test/support/fold_ledger.hpp"
#include "test/support/memory_journal.hpp"

namespace poseidon {

using namespace test;

/// One spawned instance actor.
struct puppet {
  instance_seed seed;
  caf::actor handle;
  std::vector<stop_instance> stops;
  std::vector<end_reason> fences;
  std::vector<bool> engine;
  bool stubborn = false; ///< outlives being told to exit
};

struct supervisor_test : actor_test {
  std::shared_ptr<fold_ledger> ledger = std::make_shared<fold_ledger>(time);
  memory_journal_ptr disk = std::make_shared<memory_journal>();
  listed_engine_ptr engine = std::make_shared<listed_engine>();
  ledger_actor ledger_handle = spawn_fold_ledger(system, ledger);
  journal_actor journal_handle = spawn_memory_journal(system, disk, ledger_handle);
  runtime_actor runtime_handle = spawn_listed_engine(system, engine);
  std::vector<std::shared_ptr<puppet>> puppets;
  std::size_t reapers = 0;
  caf::actor reaper_handle;
  supervisor_actor supervisor;
  supervisor_deps deps;

  supervisor_test() {
    auto spec = std::make_shared<instance_spec>();
    spec->services.emplace_back();
    spec->services[0].image = "web:1";
    spec->reserve = {64ull << 20, 100};
    limit_table limits;
    limits.per_owner = 0;
    ledger->put(put_limits_entry{limits});
    ledger->put(put_challenge_entry{{"web"}, "sha256:r", {"sha256:web"}, spec, "{}", {}});
    deps.cluster = "c1";
    deps.node = {"n1"};
    deps.run = {9, 1};
    deps.machine = {"boot/1"};
    deps.version = "1";
    deps.clock = std::shared_ptr<const clock>(&time, [](auto*) {});
    deps.ledger = ledger_handle;
    deps.journal = journal_handle;
    deps.runtime = runtime_handle;
    deps.timers = world.timers;
    deps.make_instance = [this](const instance_seed& seed) { return make_puppet(seed); };
    deps.make_reaper = [this] {
      ++reapers;
      reaper_handle = nullptr;
      auto made = system.spawn([](reaper_actor::pointer) -> reaper_actor::behavior_type {
        return {[](const timer_due&) {}, [](const engine_changed&) {},
                [](const collect_garbage&) { return outcome<garbage_report>{garbage_report{{"x"}, {}}}; }};
      });
      reaper_handle = caf::actor_cast<caf::actor>(made);
      return made;
    };
    deps.load = [] { return node_load{250, 500}; };
    deps.url_of = [](const instance_row& row) { return "http://" + row.host + "/"; };
    deps.unseal = [](const sealed_secret& s, const instance_id&) -> outcome<secret> {
      if (s.bytes == "broken") return failure{errc::forbidden, "another key", {}, {}, {}};
      return secret{s.bytes};
    };
    deps.seal = [](const secret& s, const instance_id&) { return outcome<sealed_secret>{sealed_secret{s.reveal()}}; };
  }
  ~supervisor_test() override {
    deps = {};
    for (auto& p : puppets) caf::anon_send_exit(p->handle, caf::exit_reason::kill);
    for (auto a : {caf::actor_cast<caf::actor>(supervisor), caf::actor_cast<caf::actor>(journal_handle),
                   caf::actor_cast<caf::actor>(runtime_handle), caf::actor_cast<caf::actor>(ledger_handle)})
      if (a) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    ledger->subscribers.clear();
    engine->watchers.clear();
    puppets.clear();
    run();
  }

  instance_actor make_puppet(const instance_seed& seed) {
    auto p = std::make_shared<puppet>();
    p->seed = seed;
    puppets.push_back(p);
    auto handle = system.spawn([p, disk = disk](instance_actor::pointer self) -> instance_actor::behavior_type {
      self->set_exit_handler([p, self](caf::exit_msg& m) {
        if (!p->stubborn) self->quit(m.reason);
      });
      if (!p->seed.adopt) disk->records[{p->seed.record->instance, p->seed.record->epoch}] = p->seed.record;
      return {[](const timer_due&) {},
              [](const service_exited&) {},
              [](const group_progress&) {},
              [p](const stop_instance& m) {
                p->stops.push_back(m);
                return outcome<done>{done{}};
              },
              [](const extend_instance&) { return outcome<extended>{extended{{77}, 7}}; },
              [](const read_logs&) { return outcome<log_text>{log_text{"text"}}; },
              [](const read_stats&) { return outcome<group_stats>{group_stats{}}; },
              [p](const fence_instance& m) { p->fences.push_back(m.reason); },
              [p](const engine_changed& m) { p->engine.push_back(m.up); },
              [](const open_log_stream&) { return outcome<stream_opened>{failure{errc::unknown_instance, "no streams here", {}, {}, {}}}; }};
    });
    p->handle = caf::actor_cast<caf::actor>(handle);
    return handle;
  }

  void begin() {
    supervisor = spawn_supervisor(system, deps);
    run();
  }
  /// The process dies: nothing of it acts any more; disk and engine stay.
  void crash_and_restart(std::uint64_t new_run) {
    ledger->subscribers.clear();
    engine->watchers.clear();
    caf::anon_send_exit(supervisor, caf::exit_reason::kill);
    for (auto& p : puppets) caf::anon_send_exit(p->handle, caf::exit_reason::kill);
    run();
    puppets.clear();
    deps.run = {9, new_run};
    begin();
  }
  row_ptr start(const std::string& id, const std::string& flag = {}) {
    start_entry e;
    e.instance = {id};
    e.owner.user = id;
    e.key = key_of(e.owner);
    e.challenge = {"web"};
    e.host = id + ".test";
    e.flag = {flag};
    ledger->put(e);
    run();
    return ledger->row(id);
  }
  void reset(const instance_row& row) { ledger->put(move_entry{row.id, row.epoch, move_reason::reset, {}, 0, "", {}}); }
  fact_head head_of(const instance_row& row, std::uint64_t number) { return {row.id, row.epoch, row.node, deps.run, number}; }
  void quit(puppet& p, const caf::error& reason = {}) {
    caf::anon_send(caf::actor_cast<caf::actor>(p.handle), caf::exit_msg{p.handle.address(), reason});
    run();
  }
  /// `ended` folded, record forgotten, actor gone.
  void finish(puppet& p, end_reason reason, std::uint64_t number = 99) {
    auto& r = *p.seed.record;
    ended_entry e;
    e.head = {r.instance, r.epoch, deps.node, deps.run, number};
    e.reason = reason;
    ledger->put(e);
    disk->records.erase({r.instance, r.epoch});
    quit(p);
  }
  node_status status() { return *world.answer_now<node_status>(supervisor, get_node_status{}); }
  template <class R, class M>
  outcome<R> command(M m) { return *world.answer_now<outcome<R>>(supervisor, std::move(m)); }
};

} // namespace poseidon
