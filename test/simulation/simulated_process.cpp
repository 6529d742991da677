#include "test/simulation/simulated_process.hpp"

#include "actors/bus/node_service.hpp"
#include "actors/bus/remote_node.hpp"
#include "actors/instance/instance.hpp"
#include "actors/ledger/snapshot_exchange.hpp"
#include "actors/journal/journal.hpp"
#include "actors/membership/membership.hpp"
#include "actors/probe/probe.hpp"
#include "actors/reaper/reaper.hpp"
#include "actors/runtime/runtime.hpp"
#include "actors/scheduler/scheduler.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "messages/digest.hpp"
#include "nodes/edge_link/route_feeder.hpp"

namespace poseidon::simulation {

namespace {

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

simulated_process::simulated_process(process_plan plan, disk on, std::shared_ptr<simulated_engine> engine, event_queue& events,
                                     std::shared_ptr<seeded_random> random, const process_birth& birth)
    : storage(std::move(on)), plan_(std::move(plan)), random_(std::move(random)), run_{7, birth.run} {
  world.time.advance(birth.elapsed);
  world.time.jump_wall(birth.clock_set);
  if (birth.boot.ms != 0) world.time.reboot(birth.boot);
  if (plan_.hub) bus_ = plan_.hub->join(plan_.name.value);
  spawn_ledger_side();
  if (plan_.node) {
    spawn_router_side();
    spawn_node(std::move(engine), events);
  }
  if (plan_.gateway) spawn_gateway();
  if (plan_.hub) spawn_bus_side();
}

void simulated_process::spawn_ledger_side() {
  if (plan_.shared_log) {
    line = plan_.shared_log->connect(plan_.name.value, plan_.line);
    log = caf::actor_cast<log_actor>(spawn_shared_log(world.system, plan_.shared_log, line));
  } else {
    own_log = spawn_memory_log(world.system, {storage.log, log_faults, &world.time});
    log = caf::actor_cast<log_actor>(own_log);
  }
  auto tail = spawn_memory_tail(world.system, storage.tail);
  ledger_options options;
  options.appender = plan_.name.value;
  options.run = run_;
  options.snapshot_every = 500;
  if (!plan_.gateway) options.restore_after = millis{3'000};
  auto full = spawn_ledger(world.system, {log, tail, world.timers, &world.time, random_.get(), options, {}, others()});
  if (bus_) keep(spawn_snapshot_service(world.system, {bus_, cluster, plan_.name.value, snapshot_source{full}, 4'096}));
  ledger = full;
  keep(caf::actor_cast<caf::actor>(log));
  keep(caf::actor_cast<caf::actor>(tail));
  keep(caf::actor_cast<caf::actor>(ledger));
}

other_members simulated_process::others() {
  if (!bus_) return {};
  auto heard = [board = board, self = plan_.name.value] {
    std::vector<other_members::member> found;
    for (const auto& one : board->all())
      if (!one.suspect && one.said.process != self) found.push_back({one.said.process, one.said.folded});
    return found;
  };
  auto ask = [this, alive = alive](const std::string& process, std::function<void(outcome<tail_snapshot_ptr>)> then) {
    if (*alive) ask_for_snapshot(world.system, {bus_, cluster, process}, std::move(then));
  };
  return {std::move(heard), std::move(ask)};
}

void simulated_process::spawn_router_side() {
  router_deps routing;
  routing.clock = time();
  routing.machine = plan_.machine;
  routing.apply = [this, alive = alive](const std::vector<route_change>& changes) {
    if (!*alive) return;
    for (auto& change : changes) take_route(change);
  };
  router = spawn_router(world.system, std::move(routing));
  keep(caf::actor_cast<caf::actor>(router));
  if (!plan_.hub) return;
  route_feeder_deps feeding;
  feeding.ledger = ledger;
  feeding.router = router;
  feeding.clock = time();
  feeding.machine = plan_.machine;
  feeding.known = [this](const std::string& host) {
    const auto known = routes.find(host);
    return known == routes.end() ? std::nullopt : std::optional{group_key{known->second.route.instance, known->second.route.epoch}};
  };
  keep(caf::actor_cast<caf::actor>(spawn_route_feeder(world.system, std::move(feeding))));
}

void simulated_process::spawn_gateway() {
  scheduler_deps deps;
  deps.ledger = ledger;
  deps.timers = world.timers;
  deps.clock = time();
  deps.random = random_;
  deps.nodes = {[this](const node_name& name) { return find_node(name); }, [this] { return node_names(); }};
  deps.host_of = [](const instance_id& id) { return id.value + ".sim"; };
  deps.seal = [](const secret&, const instance_id&) { return outcome<sealed_secret>{sealed_secret{}}; };
  deps.loads = [](const instance_spec&) { return std::vector<load_hint>{}; };
  scheduler = spawn_scheduler(world.system, std::move(deps));
  keep(caf::actor_cast<caf::actor>(scheduler));
}

void simulated_process::spawn_bus_side() {
  membership_deps deps;
  deps.bus = bus_;
  deps.ledger = ledger;
  deps.timers = world.timers;
  deps.clock = time();
  deps.board = board;
  deps.cluster = cluster;
  deps.self.process = plan_.name.value;
  deps.self.run = run_;
  deps.self.key_check = plan_.membership.key_check;
  deps.self.machine = plan_.machine;
  deps.node = [this] { return supervisor; };
  deps.declares = plan_.gateway;
  deps.limits = plan_.membership;
  keep(caf::actor_cast<caf::actor>(spawn_membership(world.system, std::move(deps))));
  if (!supervisor) return;
  node_service_deps serving;
  serving.bus = bus_;
  serving.cluster = cluster;
  serving.name = plan_.name;
  serving.node = supervisor;
  keep(spawn_node_service(world.system, std::move(serving)));
}

node_actor simulated_process::find_node(const node_name& name) {
  if (supervisor && name == plan_.name) return supervisor;
  const auto known = board->node(name.value);
  if (!known || !known->said.node || known->suspect) return {};
  auto& proxy = proxies_[name];
  if (!proxy) {
    proxy = spawn_remote_node(world.system, {bus_, cluster, name, plan_.name.value});
    keep(caf::actor_cast<caf::actor>(proxy));
  }
  return proxy;
}

std::vector<node_name> simulated_process::node_names() const {
  std::vector<node_name> names;
  if (supervisor) names.push_back(plan_.name);
  for (auto& one : board->all())
    if (one.said.node && !one.suspect) names.push_back({one.said.process});
  return names;
}

/// Deadlines are kept on the boot clock, whatever somebody does to the wall clock.
void simulated_process::take_route(const route_change& change) {
  const auto& next = change.now;
  const auto known = routes.find(next.route.host);
  if (known != routes.end() && known->second.phase == route_phase::ready && next.phase == route_phase::ended && next.reason == end_reason::expired) {
    const auto deadline = known->second.route.deadline;
    const auto left = deadline ? (*deadline - world.time.boot_now()).count() : 0;
    expiries.push_back({next.route.instance, std::max<std::int64_t>(left, 0)});
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
  const auto runtime = spawn_runtime(world.system, {make_simulated_runtime(engine, cluster, plan_.name.value, later), world.timers, time()});
  const auto probe = spawn_probe(world.system, {std::make_shared<engine_probe>(engine, later), world.timers, time()});
  auto instances = std::make_shared<instance_deps>();
  instances->runtime = runtime;
  instances->probe = probe;
  instances->router = router;
  instances->journal = journal;
  instances->timers = world.timers;
  instances->time = time();
  instances->node = plan_.name;
  instances->run = run_;
  instances->boot_id = plan_.boot_id;
  instances->machine = plan_.machine;
  supervisor_deps deps;
  deps.cluster = cluster;
  deps.node = plan_.name;
  deps.run = run_;
  deps.machine = plan_.machine;
  deps.version = "simulation";
  deps.capacity = plan_.capacity;
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
    reaping.node = plan_.name;
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
  if (plan_.hub) {
    deps.others_judge = [] { return true; };
    deps.clock_ahead = [this](const node_name& name) { return board->clock_ahead(name.value, world.time.boot_now(), world.time.wall_now()); };
  }
  deps.lost_after = plan_.membership.lost_after;
  supervisor = spawn_supervisor(world.system, std::move(deps));
  for (const auto& root : {caf::actor_cast<caf::actor>(full_journal), caf::actor_cast<caf::actor>(runtime), caf::actor_cast<caf::actor>(probe),
                     caf::actor_cast<caf::actor>(supervisor)})
    keep(root);
}

simulated_process::~simulated_process() {
  *alive = false;
  if (line) plan_.shared_log->drop(line); // first what leads outside
  if (plan_.hub) plan_.hub->cut(plan_.name.value, true);
  for (auto& root : roots) caf::anon_send_exit(root, caf::exit_reason::kill);
  for (auto& child : children)
    if (auto living = caf::actor_cast<caf::actor>(child)) caf::anon_send_exit(living, caf::exit_reason::kill);
  roots.clear();
  proxies_.clear();
  log = nullptr;
  own_log = nullptr;
  ledger = nullptr;
  router = nullptr;
  supervisor = nullptr;
  scheduler = nullptr;
  world.run();
}

void simulated_process::pass(millis span) {
  world.time.advance(span);
  world.scheduler.advance_time(span);
  if (world.horizon->wants_tick(world.time.boot_now())) caf::anon_send(world.timers, timer_tick{world.time.boot_now()});
}

bool simulated_process::run_one() {
  auto& jobs = world.scheduler.jobs;
  if (jobs.empty()) return false;
  if (jobs.size() > 1) std::swap(jobs.front(), jobs[random_->below(jobs.size())]);
  world.scheduler.try_run_once();
  return true;
}

millis simulated_process::next_due() {
  if (!world.scheduler.jobs.empty()) return millis{0};
  const auto now = world.time.boot_now();
  return std::min(world.horizon->next(), world.next_timeout(now)) - now;
}

bool simulated_process::step(millis span, std::size_t budget) {
  pass(span);
  for (; queued_messages() != 0; --budget) {
    if (budget == 0) return false;
    run_one();
  }
  return true;
}

} // namespace poseidon::simulation
