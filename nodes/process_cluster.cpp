// The side of a process that speaks with other processes.

#include "nodes/process_parts.hpp"

#include "actors/bus/node_service.hpp"
#include "actors/bus/route_questions.hpp"
#include "actors/ledger/snapshot_exchange.hpp"

#include <algorithm>

namespace poseidon {
namespace {

constexpr std::size_t check_digits = 16;
constexpr millis route_answer_limit{300}; ///< a player waits for it

} // namespace

nats_servers nats_servers_of(const config::settings& settings) {
  nats_servers servers;
  servers.urls = settings.nats.urls;
  servers.client = "poseidon " + settings.node;
  servers.credentials_file = settings.nats.credentials;
  servers.nkey_file = settings.nats.nkey;
  servers.user = settings.nats.user;
  servers.password = settings.nats.password;
  servers.ca_file = settings.nats.ca;
  return servers;
}

heartbeat process::parts::introduce() const {
  heartbeat said;
  said.process = settings().node;
  said.run = self->run;
  said.key_check = to_hex(hmac_sha256(self->cluster_key.reveal(), "member")).substr(0, check_digits);
  for (auto role : settings().roles) said.roles.push_back(std::string{to_string(role)});
  said.machine = self->machine;
  said.version = POSEIDON_VERSION;
  said.relay = relay_address;
  said.fold_version = newest_fold_version;
  return said;
}

void process::parts::spawn_bus_side() {
  if (settings().nats.urls.empty()) return;
  remote.emplace(*system, bus, board, settings().cluster, settings().node);
  membership_deps deps;
  deps.bus = bus;
  deps.ledger = ledger;
  deps.timers = timers;
  deps.clock = time;
  deps.board = board;
  deps.cluster = settings().cluster;
  deps.self = introduce();
  deps.node = [node = local_node] { return node->supervisor(); };
  deps.declares = settings().has(config::role::gateway);
  deps.limits = {settings().membership.suspect_after, settings().membership.lost_after, deps.self.key_check};
  membership = spawn_membership(*system, std::move(deps));
  watch(caf::actor_cast<caf::actor>(membership), "membership");
  share_routes();
  share_state();
}

bool process::parts::leads() const {
  return settings().has(config::role::gateway) || settings().has(config::role::node) || settings().nats.urls.empty();
}

void process::parts::share_state() {
  if (!bus || !leads()) return;
  states = spawn_snapshot_service(*system, {bus, settings().cluster, settings().node, snapshot_source{ledger}});
  watch(states, "snapshot service");
}

other_members process::parts::make_others() {
  if (!bus) return {};
  auto heard = [board = board, self = settings().node] {
    std::vector<other_members::member> found;
    for (const auto& one : board->all()) {
      const auto& roles = one.said.roles;
      const bool gives = std::ranges::find(roles, "gateway") != roles.end() || std::ranges::find(roles, "node") != roles.end();
      if (gives && !one.suspect && one.said.process != self) found.push_back({one.said.process, one.said.folded});
    }
    return found;
  };
  auto ask = [this, over = std::weak_ptr{bus}](const std::string& process, std::function<void(outcome<tail_snapshot_ptr>)> then) {
    if (auto alive = over.lock()) ask_for_snapshot(*system, {std::move(alive), settings().cluster, process}, std::move(then));
    else then(failure{errc::shutting_down, "the bus has ended", {}, {}, {}});
  };
  return {std::move(heard), std::move(ask)};
}

void process::parts::share_routes() {
  if (!bus || !settings().has(config::role::edge)) return;
  answer_route_questions(*bus, settings().cluster, [this](const std::string& host) -> std::optional<route> {
    const auto known = plane->table().find(host);
    if (!known || known->entry.phase != route_phase::ready || is_elsewhere(known->entry.route)) return std::nullopt;
    return known->entry.route;
  });
}

ask_members process::parts::make_route_question() const {
  if (!bus) return {};
  return [bus = bus, cluster = settings().cluster](const std::string& host, std::function<void(std::optional<route>)> done) {
    ask_for_route(*bus, cluster, host, route_answer_limit, std::move(done));
  };
}

void process::parts::serve_node_on_bus() {
  if (!bus || !supervisor) return;
  node_service_deps deps;
  deps.bus = bus;
  deps.cluster = settings().cluster;
  deps.name = self->node;
  deps.node = supervisor;
  on_bus = spawn_node_service(*system, std::move(deps));
  watch(on_bus, "node service");
}

node_directory process::parts::make_directory() {
  return {[this](const node_name& name) -> node_actor {
            if (auto here = local_node->find(name)) return here;
            return remote ? remote->find(name) : node_actor{};
          },
          [this] {
            auto names = remote ? remote->names() : std::vector<node_name>{};
            for (auto& here : local_node->names())
              if (std::ranges::find(names, here) == names.end()) names.push_back(here);
            return names;
          }};
}

std::vector<load_hint> process::parts::loads(const instance_spec& wanted) const {
  auto hints = load_hints(board->all(), wanted);
  std::erase_if(hints, [&](const load_hint& hint) { return hint.node == self->node && supervisor; });
  if (supervisor || !remote) {
    const auto now = load->read();
    hints.push_back({self->node, now.cpu_permille, now.memory_permille, holds_images(*local_node->images(), images_of(wanted))});
  }
  return hints;
}

std::optional<gateway::node_report> process::parts::report(const node_name& name) const {
  if (local_node->find(name)) {
    const auto now = load->read();
    return gateway::node_report{now.cpu_permille, now.memory_permille, 0, false, local_node->trouble()};
  }
  const auto heard = board->node(name.value);
  if (!heard) return std::nullopt;
  const auto& node = *heard->said.node;
  return gateway::node_report{node.cpu_permille, node.memory_permille, (time->boot_now() - heard->heard).count(), heard->suspect, node.trouble};
}

} // namespace poseidon
