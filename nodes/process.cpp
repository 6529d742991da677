#include "nodes/process.hpp"

#include "nodes/process_parts.hpp"

#include "actors/bus/nats_bus.hpp"
#include "actors/kit/actor_scheduler.hpp"
#include "nodes/edge_link/link_doors.hpp"
#include "nodes/host/data_folder.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <thread>

namespace poseidon {

namespace {

constexpr millis end_limit{5'000};
constexpr millis gateways_first{3'000}; ///< they say what a torn log lacks
constexpr millis ready_limit{3'000}; ///< then it serves all the same: the engine may come later

/// Watches roots; told of an end that nobody asked for.
caf::behavior watch_roots(caf::event_based_actor* self, std::shared_ptr<std::atomic<bool>> stopping, std::function<void(const std::string&)> told) {
  auto names = std::make_shared<std::unordered_map<caf::actor_id, std::string>>();
  self->set_down_handler([names, stopping, told](const caf::down_msg& m) {
    if (!stopping->load() && told) told((*names)[m.source.id()] + " ended: " + caf::to_string(m.reason));
  });
  return {[self, names](const caf::actor& root, const std::string& name) {
    (*names)[root.id()] = name;
    self->monitor(root);
  }};
}

} // namespace

process_config::process_config(unsigned threads) {
  actor_scheduler::use(*this);
  set("scheduler.max-threads", static_cast<std::size_t>(threads));
  set("scheduler.max-throughput", std::size_t{16});
  set("logger.verbosity", caf::atom("quiet"));
}

process::parts::parts(process_input given)
    : input(std::move(given)),
      caf_config(settings().threads != 0 ? settings().threads : std::max(2u, std::thread::hardware_concurrency())) {}

failure process::parts::open_data() {
  auto locked = data_lock::take(settings().data);
  if (!locked) return locked.error;
  lock = *locked;
  auto read = read_identity(settings(), time->wall_now());
  if (!read) return read.error;
  self = std::make_shared<const identity>(std::move(*read));
  local_node = std::make_shared<poseidon::local_node>(self->node);
  return {};
}

void process::parts::spawn_base() {
  system.emplace(caf_config);
  warden = system->spawn(watch_roots, stopping, input.root_ended);
  timers = spawn_timers(*system, horizon);
  driver.emplace(timers, horizon, time);
  watch(caf::actor_cast<caf::actor>(timers), "timers");
}

failure process::parts::spawn_ledger_side() {
  auto opened = open_log();
  if (!opened) return opened.error;
  log = *opened;
  auto tail_opened = spawn_sqlite_tail(*system, data("tail.sqlite"));
  if (!tail_opened) return tail_opened.error;
  tail = *tail_opened;
  if (!settings().nats.urls.empty()) bus = make_nats_bus(nats_servers_of(settings()), time);
  ledger_options options;
  options.appender = settings().node;
  options.run = self->run;
  options.leads = leads();
  if (!settings().has(config::role::gateway)) options.restore_after = gateways_first;
  options.snapshot_every = settings().ledger.snapshot_every;
  options.keep_events = settings().ledger.keep;
  const auto stopped = [told = input.root_ended](const failure& why) {
    if (told) told("the ledger stopped: " + why.detail);
  };
  ledger = spawn_ledger(*system, {log, tail, timers, time.get(), random.get(), options, stopped, make_others()});
  watch(caf::actor_cast<caf::actor>(log), "log");
  watch(caf::actor_cast<caf::actor>(tail), "tail");
  watch(caf::actor_cast<caf::actor>(ledger), "ledger");
  return {};
}

void process::parts::watch(const caf::actor& root, std::string name) { caf::anon_send(warden, root, std::move(name)); }

process::process(process_input input) : parts_(std::make_unique<parts>(std::move(input))) {}

process::~process() { stop(); }

outcome<process_addresses> process::start() {
  auto& p = *parts_;
  using config::role;
  if (auto failed = p.open_data()) return failed;
  if (p.settings().has(role::node) || p.settings().has(role::edge)) p.plane.emplace(std::move(p.input.dialer), *p.time);
  if (auto failed = p.serve_edge()) return failed;
  p.spawn_base();
  p.spawn_edge_side(); // before the ledger: nodes of this machine link at once
  if (auto failed = p.spawn_ledger_side()) return failed;
  p.spawn_bus_side();
  p.spawn_feeder();
  p.watch_drains();
  if (p.settings().has(role::gateway)) p.spawn_gateway_side();
  if (p.settings().has(role::node))
    if (auto failed = p.spawn_node_side()) return failed;
  p.serve_node_on_bus();
  p.spawn_keeper();
  p.spawn_backups();
  if (p.api)
    if (auto failed = p.serve_api()) return failed;
  if (auto failed = p.spawn_notifier_side()) return failed;
  p.wait_until_ready();
  return p.addresses;
}

bool process::answers(millis limit) const {
  caf::scoped_actor asking{*parts_->system};
  bool answered = false;
  asking->request(parts_->ledger, limit, get_ledger_status{}).receive([&](const ledger_status&) { answered = true; }, [](const caf::error&) {});
  return answered;
}

void process::stop() { parts_->stop(); }

template <class Handle>
void process::parts::end(Handle& root) {
  if (!root) return;
  caf::scoped_actor waiter{*system};
  waiter->monitor(root);
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  root = nullptr;
  waiter->receive([](const caf::down_msg&) {}, caf::after(end_limit) >> [] { spdlog::warn("an actor did not end in time"); });
}

void process::parts::stop() {
  if (!system || stopping->exchange(true)) return;
  if (edge_health) edge_health->drain();
  if (api) api->stop();
  if (supervisor) {
    caf::scoped_actor asking{*system};
    const auto limit = settings().shutdown_limit + end_limit;
    asking->request(supervisor, limit, shut_down{settings().stop_instances_on_exit})
        .receive([](const outcome<done>& ended) { if (!ended) spdlog::warn("shutting down: {}", ended.error.detail); },
                 [](const caf::error&) { spdlog::warn("the supervisor did not end in time"); });
  }
  end(node_watch);
  end(on_bus);
  end(states);
  end(membership);
  end(supervisor);
  end(keeper);
  end(backups);
  desk->close();
  end(notifier);
  end(history);
  unknown_hosts->answered_by(route_feeder_actor{}); // no handle outlives the actor system
  end(feeder);
  end(drains);
  end(catalogue);
  end(scheduler);
  if (remote) remote->end();
  bus.reset();
  api.reset();
  end(keeper_of_logs);
  if (finder) finder->stop();
  end(relay);
  end(journal);
  if (door) door->stop();
  end(gate);
  end(router);
  end(probe);
  end(runtime);
  end(ledger);
  end(tail);
  end(log);
  end(timers);
  driver.reset();
  end(warden);
  system.reset();
  port.reset();
  routes_on_disk.reset();
  edge_health.reset();
  if (plane) plane->stop();
}

void process::parts::wait_until_ready() {
  caf::scoped_actor asking{*system};
  const auto until = time->boot_now() + ready_limit;
  bool registered = !supervisor;
  failure trouble;
  while (!registered && time->boot_now() < until) {
    asking->request(supervisor, ready_limit, get_node_status{})
        .receive([&](const node_status& status) { registered = status.registered, trouble = status.trouble; }, [&](const caf::error&) {});
    if (!registered) std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  if (!registered) spdlog::warn("serving without a node for now: {}", trouble.detail);
}

} // namespace poseidon
