#pragma once
// The inside of a process. Members are declared in the order in which they come to life; what depends comes later.

#include <utility>

#include "actors/journal/journal.hpp"
#include "actors/ledger/ledger.hpp"
#include "actors/log/jetstream/server_presence.hpp"
#include "actors/membership/membership.hpp"
#include "actors/nats/nats_servers.hpp"
#include "actors/runtime/runtime_port.hpp"
#include "actors/scheduler/scheduler.hpp"
#include "actors/timers/timers.hpp"
#include "gateway/gateway.hpp"
#include "nodes/administration_keeper.hpp"
#include "nodes/backup/backup_maker.hpp"
#include "nodes/data_plane.hpp"
#include "nodes/drain_watch.hpp"
#include "nodes/edge_admin.hpp"
#include "nodes/edge/route_file.hpp"
#include "nodes/edge_link/edge_gate.hpp"
#include "nodes/edge_link/route_feeder.hpp"
#include "nodes/edge_link/route_relay.hpp"
#include "nodes/host/host_clock.hpp"
#include "nodes/host/load_cache.hpp"
#include "nodes/log_keeper.hpp"
#include "nodes/identity.hpp"
#include "nodes/local_node.hpp"
#include "nodes/node_watch.hpp"
#include "nodes/notifier_desk.hpp"
#include "nodes/process.hpp"
#include "nodes/remote_nodes.hpp"
#include "nodes/timer_driver.hpp"

#include <optional>

namespace poseidon {

class link_door;
class link_finder;

struct process_config : caf::actor_system_config {
  explicit process_config(unsigned threads);
};

/// Where the settings say that NATS is.
nats_servers nats_servers_of(const config::settings& settings);

struct process::parts {
  explicit parts(process_input given);

  const config::settings& settings() const { return input.settings->values; }
  /// The one-line address of DATA's file.
  std::string data(const char* name) const { return settings().data + "/" + name; }

  failure open_data();
  /// The log in DATA, or the one that the NATS servers of the settings carry.
  outcome<log_actor> open_log();
  /// Actor system and timers.
  void spawn_base();
  failure spawn_ledger_side();
  void expect_edge_elsewhere();
  failure serve_other_edges();
  /// Bus, membership and the other processes' nodes, where the settings name NATS servers.
  void spawn_bus_side();
  heartbeat introduce() const;
  void serve_node_on_bus();
  void share_routes();
  /// May open an incarnation of the log, and knows all of the ledger: a gateway, a node, or whoever is alone.
  bool leads() const;
  /// Gives the state to those whose place in the log is no more.
  void share_state();
  other_members make_others();
  /// How this process asks the others for a host; empty where there are none.
  ask_members make_route_question() const;
  node_directory make_directory();
  std::vector<load_hint> loads(const instance_spec& wanted) const;
  std::optional<gateway::node_report> report(const node_name& name) const;
  failure serve_edge();
  void spawn_edge_side();
  void spawn_gate();
  std::function<bool()> make_judges() const;
  void spawn_relay();
  void spawn_feeder();
  void watch_drains();
  scheduler_deps make_scheduler_deps();
  void spawn_gateway_side();
  std::shared_ptr<poseidon::runtime> make_port();
  reaper_actor make_reaper();
  failure spawn_node_side();
  failure serve_api();
  void spawn_keeper();
  void spawn_backups();
  /// Nothing without receivers.
  failure spawn_notifier_side();
  /// Watches a root: its end before stop() ends the process.
  void watch(const caf::actor& root, std::string name);
  void wait_until_ready();
  void stop();
  /// Ends an actor and waits (bounded) for its end.
  template <class Handle>
  void end(Handle& root);

  process_input input;
  std::shared_ptr<const host_clock> time = std::make_shared<host_clock>();
  std::shared_ptr<random_source> random{&system_random(), [](random_source*) {}};
  identity_ptr self;
  std::shared_ptr<data_lock> lock;
  std::shared_ptr<load_cache> load = std::make_shared<load_cache>(time);
  std::optional<data_plane> plane;
  std::optional<edge_admin> edge_health;
  std::optional<route_file> routes_on_disk;
  route_table routes_at_start;
  std::shared_ptr<host_questions> unknown_hosts = std::make_shared<host_questions>();
  std::string relay_address;           ///< where this edge takes connections from other machines' edges; empty: nowhere
  std::shared_ptr<link_door> door;     ///< where nodes of this machine find this edge
  std::shared_ptr<link_finder> finder; ///< finds the edges of this machine
  process_config caf_config;
  std::optional<caf::actor_system> system;
  std::shared_ptr<std::atomic<bool>> stopping = std::make_shared<std::atomic<bool>>(false);
  caf::actor warden;
  std::shared_ptr<timer_horizon> horizon = std::make_shared<timer_horizon>();
  timers_actor timers;
  std::optional<timer_driver> driver;
  log_actor log;
  std::shared_ptr<server_presence> log_servers = std::make_shared<server_presence>(); ///< of a log on NATS
  tail_actor tail;
  full_ledger_actor ledger;
  edge_router_actor router;
  edge_gate_actor gate;
  route_relay_actor relay;
  route_feeder_actor feeder;
  drain_watch_actor drains;
  full_journal_actor journal;
  std::shared_ptr<poseidon::runtime> port;
  runtime_actor runtime;
  probe_actor probe;
  log_keeper_actor keeper_of_logs;
  std::shared_ptr<poseidon::local_node> local_node;
  std::shared_ptr<poseidon::bus> bus; ///< null without NATS
  std::shared_ptr<member_board> board = std::make_shared<member_board>();
  std::optional<remote_nodes> remote;
  membership_actor membership;
  supervisor_actor supervisor;
  caf::actor on_bus;
  caf::actor states; ///< null without NATS, and where this process only follows
  node_watch_actor node_watch;
  scheduler_actor scheduler;
  catalogue_actor catalogue;
  keeper_actor keeper;
  gateway::backup_source backups; ///< null without a gateway
  std::shared_ptr<notifier_desk> desk = std::make_shared<notifier_desk>();
  history_actor history;
  notifier_actor notifier;
  std::optional<gateway::gateway> api;
  std::string api_url; ///< of the first TCP address that the API listens on
  process_addresses addresses;
};

} // namespace poseidon
