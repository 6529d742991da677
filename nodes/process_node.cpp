// The node's side of a process.

#include "nodes/process_parts.hpp"

#include "actors/instance/instance.hpp"
#include "actors/probe/probe.hpp"
#include "actors/reaper/reaper.hpp"
#include "actors/runtime/runtime.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "nodes/edge_link/link_doors.hpp"
#include "nodes/host/data_folder.hpp"
#include "nodes/runtime/docker_runtime.hpp"

#include <algorithm>
#include <atomic>

namespace poseidon {

std::shared_ptr<poseidon::runtime> process::parts::make_port() {
  docker_options options;
  options.engine = settings().engine;
  options.cluster = settings().cluster;
  options.node = settings().node;
  options.data_folder = data("instances");
  options.docker_config = settings().runtime.registry_credentials.empty() ? input.registry_logins : settings().runtime.registry_credentials;
  options.concurrent_starts = settings().runtime.parallel;
  options.concurrent_removes = settings().runtime.parallel;
  options.concurrent_pulls = settings().runtime.parallel_pulls;
  options.call_timeout = settings().runtime.request_timeout;
  options.pull_timeout = settings().runtime.pull_timeout;
  options.oci_runtime = settings().runtime.oci;
  options.log_bytes = settings().capture.engine_limit.bytes;
  options.list_period = settings().runtime.list_interval;
  options.signal = [this](const endpoint& where, int signal, std::function<void(failure)> done) {
    plane->dialer().async_signal(where, signal, millis{2'000}, std::move(done));
  };
  options.end_shim = [this](const endpoint& where, std::function<void(failure)> done) {
    plane->dialer().async_end_shim(where, millis{2'000}, std::move(done));
  };
  options.dial = [this](const endpoint& where, std::uint16_t to, millis timeout, answer<unique_fd> done) {
    plane->dialer().async_connect(where, to, timeout, std::move(done));
  };
  return make_docker_runtime(std::move(options));
}

failure process::parts::spawn_node_side() {
  if (auto failed = write_line(data("engine.address"), settings().engine)) return failed; // for `doctor`
  sqlite_journal_options journal_options;
  journal_options.path = data("journal.sqlite");
  auto store = open_sqlite_journal(journal_options, *time);
  if (!store) return store.error;
  journal = spawn_journal(*system, {.timers = timers, .time = time.get(), .ledger = ledger}, std::move(*store));
  port = make_port();
  runtime = spawn_runtime(*system, {port, timers, time});
  probe = spawn_probe(*system, {plane->probe(), timers, time});
  auto instances = std::make_shared<instance_deps>();
  instances->runtime = runtime;
  instances->probe = probe;
  spawn_relay();
  if (relay) instances->router = relay;
  else if (router) instances->router = router;
  instances->journal = caf::actor_cast<journal_actor>(journal);
  instances->timers = timers;
  if (api) instances->telemetry = api->telemetry();
  instances->time = time;
  instances->node = self->node;
  instances->run = self->run;
  instances->boot_id = self->boot_id;
  instances->machine = self->machine;
  instances->probe_interval = settings().lifecycle.health_interval;
  instances->probe_timeout = settings().lifecycle.health_timeout;
  const auto& capture = settings().capture;
  const auto forget_period = std::clamp(capture.keep / 2, millis{1'000}, millis{60'000});
  const kept_logs logs{data("logs"), {capture.limit.bytes, capture.total.bytes, capture.keep}};
  keeper_of_logs = spawn_log_keeper(*system, {logs, timers, time, forget_period});
  watch(caf::actor_cast<caf::actor>(keeper_of_logs), "log keeper");
  instances->keep_logs = [keeper = keeper_of_logs](const group_key& key, const std::string& text) {
    caf::anon_send(keeper, keep_logs{key.instance, text});
  };
  instances->expiring_before = settings().lifecycle.expiring_notice;
  instances->load_percent = [load = load] {
    const auto now = load->read();
    return std::max(now.cpu_permille, now.memory_permille) / 10;
  };
  supervisor_deps deps;
  deps.cluster = settings().cluster;
  deps.node = self->node;
  deps.run = self->run;
  deps.machine = self->machine;
  deps.version = POSEIDON_VERSION;
  deps.tags = config::labels_of(settings());
  const auto& capacity = settings().capacity;
  deps.capacity = {capacity.memory.bytes, capacity.cpus.millis, capacity.containers};
  deps.clock = time;
  deps.ledger = ledger;
  deps.journal = instances->journal;
  deps.runtime = runtime;
  deps.timers = timers;
  deps.kept_logs = keeper_of_logs;
  deps.make_instance = make_instance_factory(*system, instances);
  deps.make_reaper = [this] { return make_reaper(); };
  deps.load = [load = load] {
    const auto now = load->read();
    return node_load{now.cpu_permille, now.memory_permille};
  };
  deps.url_of = [self = self](const instance_row& row) { return gateway::instance_url(self->urls, row.host); };
  deps.unseal = [self = self](const sealed_secret& sealed, const instance_id& id) { return self->open_for(sealed, id.value); };
  deps.seal = [self = self](const secret& plain, const instance_id& id) { return self->seal_for(plain, id.value); };
  deps.stop_limit = settings().shutdown_limit;
  deps.lost_after = settings().membership.lost_after;
  if (!settings().nats.urls.empty()) {
    deps.others_judge = make_judges();
    deps.clock_ahead = [board = board, time = time](const node_name& name) { return board->clock_ahead(name.value, time->boot_now(), time->wall_now()); };
  }
  supervisor = spawn_supervisor(*system, std::move(deps));
  watch(caf::actor_cast<caf::actor>(journal), "journal");
  watch(caf::actor_cast<caf::actor>(runtime), "runtime");
  watch(caf::actor_cast<caf::actor>(probe), "probe");
  watch(caf::actor_cast<caf::actor>(supervisor), "supervisor");
  local_node->publish(supervisor);
  node_watch = spawn_node_watch(*system, {supervisor, timers, time, local_node});
  watch(caf::actor_cast<caf::actor>(node_watch), "node watch");
  addresses.node = settings().node;
  return {};
}

/// Another gateway that has been heard may count this node as lost. Whether it still can is not known without the bus: unless no
/// server runs at all, for then nobody has the log.
std::function<bool()> process::parts::make_judges() const {
  return [board = board, run = self->run, servers = log_servers, known = std::make_shared<std::atomic<bool>>(false)] {
    for (const auto& one : board->all())
      if (one.said.run != run && std::ranges::find(one.said.roles, "gateway") != one.said.roles.end()) *known = true;
    return known->load() && !servers->none_listens();
  };
}

/// Every edge of this machine is to know where this node's instances are, not only the one in this process.
void process::parts::spawn_relay() {
  if (!links_with_others(settings())) return;
  const auto folder = link_folder(settings().edge.link_dir, settings().cluster);
  auto found = std::make_shared<link_finder>(folder, router ? link_socket(folder, settings().node) : std::string{});
  route_relay_deps deps;
  deps.options.cluster = settings().cluster;
  deps.options.machine = self->machine;
  deps.options.node = self->node;
  deps.options.run = self->run;
  if (router) deps.router = router;
  deps.journal = caf::actor_cast<journal_actor>(journal);
  deps.timers = timers;
  deps.clock = time;
  deps.port = found;
  relay = spawn_route_relay(*system, std::move(deps));
  watch(caf::actor_cast<caf::actor>(relay), "route relay");
  found->start(caf::actor_cast<link_sink>(relay));
  finder = std::move(found);
}

reaper_actor process::parts::make_reaper() {
  reaper_deps deps;
  deps.cluster = settings().cluster;
  deps.node = self->node;
  deps.clock = time;
  deps.ledger = ledger;
  deps.journal = caf::actor_cast<journal_actor>(journal);
  deps.runtime = runtime;
  deps.timers = timers;
  deps.period = settings().reaper.interval;
  deps.safety_window = settings().reaper.window;
  return spawn_reaper(*system, std::move(deps));
}

} // namespace poseidon
