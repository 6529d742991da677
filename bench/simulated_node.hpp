#pragma once
// A whole node and gateway in this process without HTTP: the real actors, the real files (log, tail, journal), the real timers;
// only the engine, the health check and the edge are simulated. One worker thread runs all actors.

#include "actors/interfaces.hpp"
#include "actors/timers/timers.hpp"
#include "nodes/host/host_clock.hpp"
#include "nodes/runtime/simulated_runtime.hpp"
#include "nodes/timer_driver.hpp"

namespace poseidon::bench {

/// The engine's clock and thread: hands its work to the node that runs at present.
class engine_loop {
public:
  using work = std::function<void()>;
  using actor = timer_sink::extend<caf::reacts_to<std::shared_ptr<const work>>>;
  /// Runs `what` after `span`; without delay when that is at most 1 ms. Lost when no node runs.
  void after(millis span, work what);
  /// Of the node that begins; empty: no node runs.
  void run_on(caf::actor_system* system, timers_actor timers, std::shared_ptr<const clock> time);

private:
  actor loop_;
  timers_actor timers_;
  std::shared_ptr<const clock> time_;
  std::shared_ptr<std::map<std::uint64_t, work>> waiting_ = std::make_shared<std::map<std::uint64_t, work>>();
  std::uint64_t last_ = 0;
};

class simulated_node {
public:
  /// Files in `folder`; `run` differs from every earlier one's. `nodes`: so many of them share the replica and the engine, each with
  /// a journal, a supervisor and an edge of its own. Throws std::runtime_error.
  simulated_node(const std::string& folder, std::shared_ptr<engine_loop> loop, std::shared_ptr<simulated_engine> engine, std::uint64_t run,
                 std::size_t nodes = 1);
  /// Ends all actors; containers and files stay.
  ~simulated_node();

  caf::actor_system& system() { return *system_; }
  /// Routes that the edge serves now; thread-safe.
  std::size_t routes() const { return *routes_; }
  /// Every node is.
  bool registered();
  /// The process's clock.
  std::shared_ptr<const clock> time() const { return time_; }
  /// Throws when it is refused or does not come in time.
  void append(entry_body body);

  ledger_actor ledger;
  scheduler_actor scheduler;

private:
  void spawn_ledger(const std::string& folder);
  void spawn_node(const std::string& folder, std::shared_ptr<simulated_engine> engine, const node_name& node);
  void spawn_deciding();
  template <class Handle>
  Handle keep(Handle actor) {
    roots_.push_back(caf::actor_cast<caf::actor>(actor));
    return actor;
  }

  std::shared_ptr<engine_loop> loop_;
  std::shared_ptr<host_clock> time_ = std::make_shared<host_clock>();
  run_id run_;
  caf::actor_system_config config_;
  std::optional<caf::actor_system> system_;
  std::shared_ptr<timer_horizon> horizon_ = std::make_shared<timer_horizon>();
  timers_actor timers_;
  std::optional<timer_driver> driver_;
  std::map<node_name, supervisor_actor> supervisors_;
  std::shared_ptr<std::atomic<std::size_t>> routes_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::vector<caf::actor> roots_; ///< in the order in which they were spawned
};

/// A challenge of one small service, without a start of its own.
put_challenge_entry small_challenge();
/// An engine that answers at once, on that loop.
std::shared_ptr<simulated_engine> quick_engine(std::shared_ptr<engine_loop> loop);

} // namespace poseidon::bench
