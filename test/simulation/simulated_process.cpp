#include "test/simulation/simulated_process.hpp"

#include "actors/instance/instance.hpp"
#include "actors/journal/journal.hpp"
#include "actors/probe/probe.hpp"
#include "actors/reaper/reaper.hpp"
#include "actors/runtime/runtime.hpp"
#include "actors/scheduler/scheduler.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "messages/digest.hpp"

namespace poseidon::simulation {

namespace {

const node_name node{"n1"};
constexpr const char* cluster = "simulation";

/// Healthy when the process that the endpoint names runs in the engine.
class engine_probe : public probe_port {
public:
  engine_probe(std::shared_ptr<simulated_engine> engine, simulation_timer later) : engine_(std::move(engine)), later_(std::move(later)) {}
  void probe(const probe_endpoint& request, std::function<void(outcome<done>)> answer) override {
    later_(millis{1}, [engine = engine_, where = request.where, answer = std::move(answer)] {
      for (auto& [key, group] : engine->groups())
        for (auto& container : group.containers)
          if (container.running && container.pid == where.pid && container.start_ticks == where.start_ticks) return answer(done{});
      answer(failure{errc::never_healthy, "nothing listens there", {}, {}, {}});
    });
  }

private:
  std::shared_ptr<simulated_engine> engine_;
  simulation_timer later_;
};

} // namespace

simulated_process::simulated_process(disk on, std::shared_ptr<simulated_engine> engine, event_queue& events, std::shared_ptr<seeded_random> random,
                                     std::uint64_t run, millis elapsed, millis clock_set)
    : storage(std::move(on)), random_(std::move(random)), run_{7, run} {
  world.time.advance(elapsed);
  world.time.jump_wall(clock_set);
  log = spawn_memory_log(world.system, {storage.log, log_faults, &world.time});
  auto tail = spawn_memory_tail(world.system, storage.tail);
  ledger_options options;
  options.appender = "p1";
  options.run = run_;
  options.snapshot_every = 500;
  ledger = spawn_ledger(world.system, {log, tail, world.timers, &world.time, random_.get(), options});
  keep(caf::actor_cast<caf::actor>(log));
  keep(caf::actor_cast<caf::actor>(tail));
  keep(caf::actor_cast<caf::actor>(ledger));
  router_deps routing;
  routing.clock = time();
  routing.machine = {"boot/1"};
  routing.apply = [this, alive = alive](const std::vector<route_change>& changes) {
    if (!*alive) return;
    for (auto& change : changes) take_route(change);
  };
  router = spawn_router(world.system, std::move(routing));
  keep(caf::actor_cast<caf::actor>(router));
  spawn_node(std::move(engine), events);
  scheduler_deps deps;
  deps.ledger = ledger;
  deps.timers = world.timers;
  deps.clock = time();
  deps.random = random_;
  deps.nodes = {[this](const node_name& name) { return name == node ? node_actor{supervisor} : node_actor{}; }, [] { return std::vector{node}; }};
  deps.host_of = [](const instance_id& id) { return id.value + ".sim"; };
  deps.seal = [](const secret&, const instance_id&) { return outcome<sealed_secret>{sealed_secret{}}; };
  deps.loads = [] { return std::vector<load_hint>{}; };
  scheduler = spawn_scheduler(world.system, std::move(deps));
  keep(caf::actor_cast<caf::actor>(scheduler));
}

/// Deadlines are kept on the boot clock: whatever somebody does to the wall clock, no route ends as expired before its own.
void simulated_process::take_route(const route_change& change) {
  const auto& next = change.now;
  const auto known = routes.find(next.route.host);
  if (known != routes.end() && known->second.phase == route_phase::ready && next.phase == route_phase::ended && next.reason == end_reason::expired) {
    const auto deadline = known->second.route.deadline;
    if (deadline && world.time.boot_now() < *deadline)
      violations.push_back(next.route.host + " expired " + std::to_string((*deadline - world.time.boot_now()).count()) + " ms early");
  }
  if (change.forgotten) routes.erase(next.route.host);
  else routes[next.route.host] = next;
}

void simulated_process::spawn_node(std::shared_ptr<simulated_engine> engine, event_queue& events) {
  auto later = [&events, alive = alive](millis span, std::function<void()> what) {
    events.after(span, [alive, what = std::move(what)] {
      if (*alive) what();
    });
  };
  auto full_journal = spawn_journal(world.system, {.timers = world.timers, .time = &world.time, .ledger = ledger}, open_memory_journal(storage.journal));
  const auto journal = caf::actor_cast<journal_actor>(full_journal);
  const auto runtime = spawn_runtime(world.system, {make_simulated_runtime(engine, cluster, node.value, later), world.timers, time()});
  const auto probe = spawn_probe(world.system, {std::make_shared<engine_probe>(engine, later), world.timers, time()});
  auto instances = std::make_shared<instance_deps>();
  instances->runtime = runtime;
  instances->probe = probe;
  instances->router = router;
  instances->journal = journal;
  instances->timers = world.timers;
  instances->time = time();
  instances->node = node;
  instances->run = run_;
  instances->boot_id = "boot";
  instances->machine = {"boot/1"};
  supervisor_deps deps;
  deps.cluster = cluster;
  deps.node = node;
  deps.run = run_;
  deps.machine = {"boot/1"};
  deps.version = "simulation";
  deps.capacity = {64ull << 30, 64'000, 10'000};
  deps.clock = time();
  deps.ledger = ledger;
  deps.journal = journal;
  deps.runtime = runtime;
  deps.timers = world.timers;
  deps.make_instance = [this, make = make_instance_factory(world.system, instances)](const instance_seed& seed) {
    auto made = make(seed);
    children.push_back(caf::actor_cast<caf::actor>(made).address());
    return made;
  };
  deps.make_reaper = [this, journal, runtime] {
    reaper_deps reaping;
    reaping.cluster = cluster;
    reaping.node = node;
    reaping.clock = time();
    reaping.ledger = ledger;
    reaping.journal = journal;
    reaping.runtime = runtime;
    reaping.timers = world.timers;
    reaping.period = millis{3'000};
    reaping.safety_window = millis{2'000};
    auto made = spawn_reaper(world.system, std::move(reaping));
    children.push_back(caf::actor_cast<caf::actor>(made).address());
    return made;
  };
  deps.load = [] { return node_load{}; };
  deps.url_of = [](const instance_row& row) { return "http://" + row.host + "/"; };
  deps.unseal = [](const sealed_secret&, const instance_id&) { return outcome<secret>{secret{}}; };
  deps.seal = [](const secret&, const instance_id&) { return outcome<sealed_secret>{sealed_secret{}}; };
  supervisor = spawn_supervisor(world.system, std::move(deps));
  for (const auto& root : {caf::actor_cast<caf::actor>(full_journal), caf::actor_cast<caf::actor>(runtime), caf::actor_cast<caf::actor>(probe),
                     caf::actor_cast<caf::actor>(supervisor)})
    keep(root);
}

simulated_process::~simulated_process() {
  *alive = false;
  for (auto& root : roots) caf::anon_send_exit(root, caf::exit_reason::kill);
  for (auto& child : children)
    if (auto living = caf::actor_cast<caf::actor>(child)) caf::anon_send_exit(living, caf::exit_reason::kill);
  roots.clear();
  log = nullptr;
  ledger = nullptr;
  router = nullptr;
  supervisor = nullptr;
  scheduler = nullptr;
  world.run();
}

bool simulated_process::step(millis span, std::size_t budget) {
  world.time.advance(span);
  world.scheduler.advance_time(span);
  if (world.horizon->wants_tick(world.time.boot_now())) caf::anon_send(world.timers, timer_tick{world.time.boot_now()});
  auto& jobs = world.scheduler.jobs;
  while (!jobs.empty()) {
    if (budget-- == 0) return false;
    if (jobs.size() > 1) std::swap(jobs.front(), jobs[random_->below(jobs.size())]);
    world.scheduler.try_run_once();
  }
  return true;
}

} // namespace poseidon::simulation
