#pragma once
// One Poseidon process in a simulation: the real actors over simulated ports, on virtual time. What it leaves behind when
// it dies (disk, engine) is handed to the next one.

#include "actors/journal/memory_journal.hpp"
#include "actors/ledger/ledger.hpp"
#include "actors/log/memory_log.hpp"
#include "actors/router/router.hpp"
#include "nodes/runtime/simulated_runtime.hpp"
#include "test/simulation/event_queue.hpp"
#include "test/support/actor_world.hpp"

#include <random>

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

/// Random bits of a simulation.
class seeded_random : public random_source {
public:
  explicit seeded_random(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> bytes) override {
    for (auto& b : bytes) b = static_cast<std::uint8_t>(engine_());
  }
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool chance(std::uint32_t per_million) { return below(1'000'000) < per_million; }

private:
  std::mt19937_64 engine_;
};

class simulated_process {
public:
  /// `elapsed`: virtual time since the simulation began; `clock_set`: how far the wall clock was set forward since.
  simulated_process(disk on, std::shared_ptr<simulated_engine> engine, event_queue& events, std::shared_ptr<seeded_random> random,
                    std::uint64_t run, millis elapsed, millis clock_set);
  ~simulated_process();

  /// Lets time pass by `span`; actors then run in an order picked by the random source, at most `budget` messages. False: the
  /// budget ended first (a crash point).
  bool step(millis span, std::size_t budget);

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
  void reconnect_log() { caf::anon_send(log, log_connection{true}); }
  std::size_t queued_messages() const { return world.scheduler.jobs.size(); }

  test::actor_world world;
  disk storage;
  std::shared_ptr<memory_log_faults> log_faults = std::make_shared<memory_log_faults>();
  std::map<std::string, route_entry> routes; ///< what the edge serves
  std::vector<std::string> violations;       ///< of what its edge was told
  ledger_actor ledger;
  scheduler_actor scheduler;

private:
  std::shared_ptr<const clock> time() { return {std::shared_ptr<void>{}, &world.time}; }
  void take_route(const route_change& change);
  void spawn_node(std::shared_ptr<simulated_engine> engine, event_queue& events);
  void keep(const caf::actor& actor) { roots.push_back(actor); }

  std::shared_ptr<seeded_random> random_;
  run_id run_;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  memory_log_actor log;
  router_actor router;
  supervisor_actor supervisor;
  std::vector<caf::actor> roots;
  std::vector<caf::actor_addr> children;
};

} // namespace poseidon::simulation
