#pragma once
// One Poseidon process in a simulation: the real actors over simulated ports, on virtual time. What it leaves behind when
// it dies (disk, engine) is handed to the next one.

#include "actors/bus/memory_bus.hpp"
#include "actors/journal/memory_journal.hpp"
#include "actors/ledger/ledger.hpp"
#include "actors/membership/member_board.hpp"
#include "actors/router/router.hpp"
#include "nodes/runtime/simulated_runtime.hpp"
#include "test/simulation/shared_log.hpp"
#include "test/support/actor_world.hpp"

namespace poseidon::simulation {

/// What survives a process.
struct disk {
  std::shared_ptr<memory_log_store> log = std::make_shared<memory_log_store>();
  std::shared_ptr<memory_tail_store> tail = std::make_shared<memory_tail_store>();
  std::shared_ptr<memory_journal_disk> journal = std::make_shared<memory_journal_disk>();
  /// As it is now: whatever a dying process still writes goes elsewhere.
  disk copy() const {
    return {std::make_shared<memory_log_store>(*log), std::make_shared<memory_tail_store>(*tail), std::make_shared<memory_journal_disk>(*journal)};
  }
};

/// What a process is, and where it runs.
struct process_plan {
  node_name name{"n1"};
  machine_id machine{"boot/1"};
  std::string boot_id = "boot";
  bool node = true, gateway = true; ///< roles
  node_capacity capacity{64ull << 30, 64'000, 10'000};
  std::shared_ptr<memory_bus_hub> hub;    ///< null: it is the only process
  std::shared_ptr<log_server> shared_log; ///< null: a log of its own, on its disk
  line_faults line;
  member_limits membership{millis{3'000}, millis{15'000}, "key"};
};

/// When and in which run it starts.
struct process_birth {
  std::uint64_t run = 1;
  boot_time boot;      ///< its machine's clock
  millis clock_set{0}; ///< how far its wall clock is from the simulation's
  millis elapsed{0};   ///< virtual time since the simulation began
};

class simulated_process {
public:
  /// `engine`: null without the role node.
  simulated_process(process_plan plan, disk on, std::shared_ptr<simulated_engine> engine, event_queue& events, std::shared_ptr<seeded_random> random,
                    const process_birth& birth);
  ~simulated_process();

  /// Lets time pass by `span`; actors then run in an order picked by the random source, at most `budget` messages. False: the
  /// budget ended first (a crash point).
  bool step(millis span, std::size_t budget);
  /// Lets time pass; nothing runs yet.
  void pass(millis span);
  /// Runs one message, picked by the random source. False: there is none.
  bool run_one();
  /// When something of it is due next, in milliseconds from now; 0: it has messages to work on.
  millis next_due();

  /// Asks the scheduler; the slot is filled once it answers.
  template <class Reply, class Message>
  std::shared_ptr<std::optional<Reply>> ask(Message message) {
    auto slot = std::make_shared<std::optional<Reply>>();
    auto asker = world.system.spawn([slot, target = scheduler, message = std::move(message)](caf::event_based_actor* self) {
      self->request(target, std::chrono::minutes(10), message).then([slot](Reply& reply) { *slot = std::move(reply); }, [](caf::error&) {});
    });
    children.push_back(asker.address());
    return slot;
  }
  /// Tells the log's front that the log came back.
  void reconnect_log() { caf::anon_send(own_log, log_connection{true}); }
  const process_plan& plan() const { return plan_; }
  run_id run() const { return run_; }
  std::size_t queued_messages() const { return world.scheduler.jobs.size(); }

  test::actor_world world;
  disk storage;
  std::shared_ptr<memory_log_faults> log_faults = std::make_shared<memory_log_faults>();
  std::map<std::string, route_entry> routes; ///< what the edge serves
  /// An instance whose route here ended as expired, and how long before the route's own deadline; 0: not before.
  struct expiry {
    instance_id instance;
    std::int64_t early_ms = 0;
  };
  std::vector<expiry> expiries;
  ledger_actor ledger;
  scheduler_actor scheduler;
  supervisor_actor supervisor; ///< null without the role node
  std::shared_ptr<log_line> line; ///< to the shared log
  std::shared_ptr<member_board> board = std::make_shared<member_board>();

private:
  std::shared_ptr<const clock> time() { return {std::shared_ptr<void>{}, &world.time}; }
  void take_route(const route_change& change);
  void spawn_ledger_side();
  void spawn_router_side();
  void spawn_node(std::shared_ptr<simulated_engine> engine, event_queue& events);
  void spawn_gateway();
  void spawn_bus_side();
  other_members others();
  node_actor find_node(const node_name& name);
  std::vector<node_name> node_names() const;
  void keep(const caf::actor& actor) { roots.push_back(actor); }

  process_plan plan_;
  std::shared_ptr<seeded_random> random_;
  run_id run_;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  log_actor log;
  memory_log_actor own_log;
  router_actor router;
  std::shared_ptr<bus> bus_;
  std::map<node_name, node_actor> proxies_;
  std::vector<caf::actor> roots;
  std::vector<caf::actor_addr> children;
};

} // namespace poseidon::simulation
