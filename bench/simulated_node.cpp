#include "bench/simulated_node.hpp"

#include "actors/instance/instance.hpp"
#include "actors/journal/journal.hpp"
#include "actors/kit/actor_scheduler.hpp"
#include "actors/ledger/ledger.hpp"
#include "actors/log/sqlite_log.hpp"
#include "actors/probe/probe.hpp"
#include "actors/reaper/reaper.hpp"
#include "actors/router/router.hpp"
#include "actors/runtime/runtime.hpp"
#include "actors/scheduler/scheduler.hpp"
#include "actors/supervisor/supervisor.hpp"

#include <spdlog/spdlog.h>

#include <stdexcept>

namespace poseidon::bench {
namespace {

constexpr const char* cluster = "bench";
const machine_id machine{"3c1f9c8e-6f57-4c7e-9f2e-0f6a2a3c9d11/4026531836"};

class healthy_probe : public probe_port {
public:
  void probe(const probe_endpoint&, std::function<void(outcome<done>)> answer) override { answer(done{}); }
};

template <class Value>
Value need(outcome<Value> got) {
  if (!got) throw std::runtime_error(got.error.detail);
  return std::move(*got);
}

} // namespace

void engine_loop::after(millis span, work what) {
  if (!loop_) return;
  if (span <= millis{1}) {
    caf::anon_send(loop_, std::make_shared<const work>(std::move(what)));
    return;
  }
  const auto token = ++last_;
  waiting_->emplace(token, std::move(what));
  caf::anon_send(timers_, arm_timer{loop_, token, time_->boot_now() + span});
}

void engine_loop::run_on(caf::actor_system* system, timers_actor timers, std::shared_ptr<const clock> time) {
  if (loop_) caf::anon_send_exit(loop_, caf::exit_reason::kill);
  loop_ = nullptr;
  timers_ = std::move(timers);
  time_ = std::move(time);
  waiting_->clear();
  if (!system) return;
  loop_ = system->spawn([waiting = waiting_]() -> actor::behavior_type {
    return {
        [waiting](const timer_due& m) {
          if (auto found = waiting->extract(m.token)) found.mapped()();
        },
        [](const std::shared_ptr<const work>& what) { (*what)(); },
    };
  });
}

simulated_node::simulated_node(const std::string& folder, std::shared_ptr<engine_loop> loop, std::shared_ptr<simulated_engine> engine,
                               std::uint64_t run, std::size_t nodes)
    : loop_(std::move(loop)), run_{7, run} {
  spdlog::set_level(spdlog::level::off); // what it says goes to stdout, as the figures do
  actor_scheduler::use(config_);
  config_.set("scheduler.max-threads", std::size_t{1}); // the simulated engine is not thread-safe
  config_.set("scheduler.max-throughput", std::size_t{16});
  config_.set("logger.verbosity", caf::atom("quiet"));
  system_.emplace(config_);
  timers_ = keep(spawn_timers(*system_, horizon_));
  driver_.emplace(timers_, horizon_, time_);
  loop_->run_on(&*system_, timers_, time_);
  spawn_ledger(folder);
  for (std::size_t n = 1; n <= nodes; ++n) spawn_node(folder, engine, {"n" + std::to_string(n)});
  spawn_deciding();
}

void simulated_node::spawn_ledger(const std::string& folder) {
  const auto log = keep(need(spawn_sqlite_log(*system_, {.path = folder + "/ledger.sqlite"}, *time_)));
  const auto tail = keep(need(spawn_sqlite_tail(*system_, folder + "/tail.sqlite")));
  ledger_options options;
  options.appender = "n1";
  options.run = run_;
  ledger = keep(poseidon::spawn_ledger(*system_, {log, tail, timers_, time_.get(), &system_random(), options}));
}

void simulated_node::spawn_node(const std::string& folder, std::shared_ptr<simulated_engine> engine, const node_name& node) {
  sqlite_journal_options files;
  files.path = folder + "/journal-" + node.value + ".sqlite";
  const auto full_journal = keep(spawn_journal(*system_, {.timers = timers_, .time = time_.get(), .ledger = ledger}, need(open_sqlite_journal(files, *time_))));
  const auto later = [loop = loop_](millis span, std::function<void()> what) { loop->after(span, std::move(what)); };
  auto instances = std::make_shared<instance_deps>();
  instances->journal = caf::actor_cast<journal_actor>(full_journal);
  instances->runtime = keep(spawn_runtime(*system_, {make_simulated_runtime(std::move(engine), cluster, node.value, later), timers_, time_}));
  instances->probe = keep(spawn_probe(*system_, {std::make_shared<healthy_probe>(), timers_, time_}));
  router_deps routing;
  routing.clock = time_;
  routing.machine = machine;
  routing.apply = [routes = routes_, served = std::map<std::string, bool>{}](const std::vector<route_change>& changes) mutable {
    for (auto& change : changes) {
      auto& serves = served[change.now.route.host];
      const bool now = change.now.phase == route_phase::ready && !change.forgotten;
      if (now != serves) now ? ++*routes : --*routes;
      serves = now;
      if (!now) served.erase(change.now.route.host);
    }
  };
  instances->router = keep(spawn_router(*system_, std::move(routing)));
  instances->timers = timers_;
  instances->time = time_;
  instances->node = node;
  instances->run = run_;
  instances->boot_id = machine.value.substr(0, 36);
  instances->machine = machine;
  supervisor_deps deps;
  deps.cluster = cluster;
  deps.node = node;
  deps.run = run_;
  deps.machine = machine;
  deps.version = "bench";
  deps.capacity = {64ull << 40, 64'000'000, 1'000'000};
  deps.clock = time_;
  deps.ledger = ledger;
  deps.journal = instances->journal;
  deps.runtime = instances->runtime;
  deps.timers = timers_;
  deps.make_instance = make_instance_factory(*system_, instances);
  deps.make_reaper = [this, node, journal = instances->journal, runtime = instances->runtime] {
    reaper_deps reaping;
    reaping.cluster = cluster;
    reaping.node = node;
    reaping.clock = time_;
    reaping.ledger = ledger;
    reaping.journal = journal;
    reaping.runtime = runtime;
    reaping.timers = timers_;
    return spawn_reaper(*system_, std::move(reaping));
  };
  deps.load = [] { return node_load{}; };
  deps.url_of = [](const instance_row& row) { return "http://" + row.host + ":8081/"; };
  deps.unseal = [](const sealed_secret&, const instance_id&) { return outcome<secret>{secret{}}; };
  deps.seal = [](const secret&, const instance_id&) { return outcome<sealed_secret>{sealed_secret{}}; };
  supervisors_.emplace(node, keep(spawn_supervisor(*system_, std::move(deps))));
}

void simulated_node::spawn_deciding() {
  scheduler_deps deciding;
  deciding.ledger = ledger;
  deciding.timers = timers_;
  deciding.clock = time_;
  deciding.random = {std::shared_ptr<void>{}, &system_random()};
  std::vector<node_name> names;
  for (auto& [name, supervisor] : supervisors_) names.push_back(name);
  deciding.nodes = {[all = supervisors_](const node_name& name) {
                      const auto found = all.find(name);
                      return found == all.end() ? node_actor{} : node_actor{found->second};
                    },
                    [names] { return names; }};
  deciding.host_of = [](const instance_id& id) { return id.value.substr(0, 20) + ".localhost"; };
  deciding.seal = [](const secret&, const instance_id&) { return outcome<sealed_secret>{sealed_secret{}}; };
  deciding.loads = [](const instance_spec&) { return std::vector<load_hint>{}; };
  scheduler = keep(spawn_scheduler(*system_, std::move(deciding)));
}

simulated_node::~simulated_node() {
  {
    caf::scoped_actor waiter{*system_};
    for (auto& [name, supervisor] : supervisors_)
      waiter->request(supervisor, std::chrono::seconds(30), shut_down{false}).receive([](const outcome<done>&) {}, [](const caf::error&) {});
    supervisors_.clear();
    for (auto root = roots_.rbegin(); root != roots_.rend(); ++root) {
      waiter->monitor(*root);
      caf::anon_send_exit(*root, caf::exit_reason::user_shutdown);
      waiter->receive([](const caf::down_msg&) {});
    }
  }
  loop_->run_on(nullptr, timers_actor{}, nullptr);
  roots_.clear();
  scheduler = nullptr;
  ledger = nullptr;
  driver_.reset();
  timers_ = nullptr;
  system_.reset();
}

bool simulated_node::registered() {
  std::size_t ready = 0;
  caf::scoped_actor asker{*system_};
  for (auto& [name, supervisor] : supervisors_)
    asker->request(supervisor, std::chrono::seconds(10), get_node_status{})
        .receive([&](const node_status& status) { ready += status.registered; }, [](const caf::error&) {});
  return ready == supervisors_.size();
}

void simulated_node::append(entry_body body) {
  failure why{errc::internal, "no answer", {}, {}, {}};
  caf::scoped_actor asker{*system_};
  asker->request(scheduler, std::chrono::seconds(10), append_entry{std::move(body)})
      .receive([&](const outcome<folded>& answer) { why = answer.error; }, [](const caf::error&) {});
  if (why) throw std::runtime_error("an entry was not folded: " + why.detail);
}

put_challenge_entry small_challenge() {
  auto spec = std::make_shared<instance_spec>();
  auto& service = spec->services.emplace_back();
  service.image = "registry.example/web:1";
  service.ports = {{8000, port_protocol::http, "web"}};
  service.health = {health_kind::tcp, 8000, "/"};
  spec->reserve = {1 << 20, 1};
  return {{"hello"}, "sha256:" + std::string(64, 'a'), {"sha256:" + std::string(64, 'b')}, spec, "{}", {}};
}

std::shared_ptr<simulated_engine> quick_engine(std::shared_ptr<engine_loop> loop) {
  return std::make_shared<simulated_engine>([loop](millis span, std::function<void()> what) { loop->after(span, std::move(what)); },
                                            [] { return host_clock{}.wall_now(); }, 1);
}

} // namespace poseidon::bench
