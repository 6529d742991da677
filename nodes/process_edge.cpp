// The edge's side of a process. It needs nothing but its routes on disk and its dialer: whatever else is away comes later.

#include "nodes/process_parts.hpp"

#include "nodes/edge_link/link_doors.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {

namespace {

edge_options edge_options_of(const config::settings& settings, const machine_id& machine) {
  edge_options options;
  options.listen.clear();
  for (auto& address : settings.edge.listen) options.listen.push_back({address.host, address.port});
  options.threads = settings.threads != 0 ? settings.threads : std::max(1u, std::thread::hardware_concurrency());
  options.machine = machine;
  options.head_bytes_max = settings.edge.head_limit.bytes;
  options.head_timeout = settings.edge.head_timeout;
  options.connect_timeout = settings.edge.connect_timeout;
  options.idle_timeout = settings.edge.idle_timeout;
  options.connections = settings.edge.connections;
  options.connections_per_source = settings.edge.connections_per_source;
  options.connections_per_instance = settings.edge.connections_per_instance;
  return options;
}

/// What a snapshot says of deadlines holds that long at least: nodes may have moved them meanwhile, and link at once.
constexpr millis node_word_limit{5'000};

} // namespace

/// Where no edge runs in this process, instances' URLs name the port that an edge with these settings has.
void process::parts::expect_edge_elsewhere() {
  if (settings().edge.listen.empty() || settings().edge.listen.front().port == 0) return;
  auto urls = std::make_shared<identity>(*self);
  urls->urls.edge_port = settings().edge.listen.front().port;
  self = std::move(urls);
}

failure process::parts::serve_edge() {
  if (!settings().has(config::role::edge)) {
    expect_edge_elsewhere();
    return {};
  }
  // The routes first: whoever comes at once is served.
  if (auto known = load_routes(data("routes")))
    plane->table().apply(routes_at_start.restore(*known, self->machine, time->wall_now(), time->boot_now() + node_word_limit));
  else spdlog::warn("the edge begins without its routes: {}", known.error.detail);
  if (auto failed = serve_other_edges()) return failed;
  auto options = edge_options_of(settings(), self->machine);
  options.ask = [questions = unknown_hosts](const std::string& host, std::function<void()> done) { questions->ask(host, std::move(done)); };
  auto bound = plane->serve(std::move(options));
  if (!bound) return bound.error;
  auto urls = std::make_shared<identity>(*self);
  const auto& first = bound->front();
  urls->urls.edge_port = first.port;
  self = std::move(urls);
  if (!settings().edge.admin_listen.empty()) {
    std::vector<std::string> listen;
    for (auto& address : settings().edge.admin_listen) listen.push_back(config::to_text(address));
    edge_health.emplace(std::move(listen));
    try {
      for (auto& address : edge_health->start()) spdlog::info("edge: /healthz on {}", address.url);
    } catch (const std::runtime_error& error) {
      return {errc::conflict, error.what(), {}, {}, {}};
    }
  }
  if (links_with_others(settings())) {
    auto opened = std::make_shared<link_door>();
    if (auto failed = opened->open(link_socket(link_folder(settings().edge.link_dir, settings().cluster), settings().node))) return failed;
    door = std::move(opened);
  }
  addresses.edge = "http://" + (first.host.find(':') == std::string::npos ? first.host : "[" + first.host + "]") + ":" + std::to_string(first.port);
  return {};
}

/// Instances of other machines are reached through the edges there, and those here from there, where there may be other machines.
failure process::parts::serve_other_edges() {
  const auto& edge = settings().edge;
  if (settings().nats.urls.empty() && edge.relay_listen.empty()) return {};
  relay_options options;
  for (auto& address : edge.relay_listen) options.listen.push_back({address.host, address.port});
  options.machine = self->machine;
  options.cluster_key = self->cluster_key;
  options.connect_timeout = edge.connect_timeout;
  options.idle_timeout = edge.idle_timeout;
  options.connections = edge.connections;
  options.connections_per_instance = edge.connections_per_instance;
  auto bound = plane->relay(std::move(options), [known = board](const machine_id& machine) { return known->relays_of(machine); });
  if (!bound) return bound.error;
  if (bound->empty()) return {};
  const auto& first = bound->front();
  relay_address = edge.relay_advertise.empty() ? config::to_text(config::listen_address{first.host, first.port, {}}) : edge.relay_advertise;
  spdlog::info("edge: other machines' edges reach this one's instances at {}", relay_address);
  return {};
}

void process::parts::spawn_edge_side() {
  if (!settings().has(config::role::edge)) return;
  routes_on_disk.emplace(data("routes"), self->machine, plane->table());
  const auto apply = [this](const std::vector<route_change>& changes) {
    plane->table().apply(changes);
    routes_on_disk->changed();
  };
  router = spawn_router(*system, {time, self->machine, apply, std::move(routes_at_start)});
  watch(caf::actor_cast<caf::actor>(router), "router");
  spawn_gate();
}

void process::parts::spawn_gate() {
  if (!door) return;
  edge_gate_deps deps;
  deps.options.cluster = settings().cluster;
  deps.options.machine = self->machine;
  deps.options.edge = settings().node;
  deps.router = router;
  deps.timers = timers;
  deps.clock = time;
  deps.port = door;
  gate = spawn_edge_gate(*system, std::move(deps));
  watch(caf::actor_cast<caf::actor>(gate), "edge gate");
  door->start(caf::actor_cast<link_sink>(gate));
}

void process::parts::spawn_feeder() {
  if (!router) return;
  route_feeder_deps deps;
  deps.ledger = ledger;
  deps.router = router;
  deps.clock = time;
  deps.machine = self->machine;
  deps.known = [this](const std::string& host) {
    const auto known = plane->table().find(host);
    return known ? std::optional{group_key{known->entry.route.instance, known->entry.route.epoch}} : std::nullopt;
  };
  deps.ask = make_route_question();
  feeder = spawn_route_feeder(*system, std::move(deps));
  watch(caf::actor_cast<caf::actor>(feeder), "routes");
  unknown_hosts->answered_by(feeder);
}

/// The load balancer's check follows what the ledger says of this machine's node.
void process::parts::watch_drains() {
  if (!edge_health) return;
  drain_watch_deps deps;
  deps.ledger = ledger;
  deps.timers = timers;
  deps.clock = time;
  deps.machine = self->machine;
  deps.name = {settings().node};
  deps.tell = [this](bool draining) {
    spdlog::info("edge: /healthz {}", draining ? "fails: the machine's node drains" : "is fine again");
    edge_health->node_drains(draining);
  };
  drains = spawn_drain_watch(*system, std::move(deps));
  watch(caf::actor_cast<caf::actor>(drains), "drain watch");
}

} // namespace poseidon
