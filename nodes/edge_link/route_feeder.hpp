#pragma once
// Tells the edge what only the ledger knows: instances that wait in the queue, ended ones (also of earlier runs), and those that
// run on other machines. What lives on this one is told by its instance actor, which knows endpoint and deadline.

#include "actors/interfaces.hpp"
#include "nodes/edge_link/route_news.hpp"

#include <functional>
#include <mutex>
#include <optional>

namespace poseidon {

/// A player came for a host that the edge does not know; `done` once whatever can be learnt is in its table.
struct ask_host {
  using poseidon_message = void;
  std::string host;
  std::function<void()> done;
};
using route_feeder_actor = ledger_subscriber::extend<reacts_to<ask_host>>;

/// Asks the other members for a host, once; calls `done` with the route of who has it (machine, instance, epoch), or nothing.
/// From any thread, exactly once, within seconds.
using ask_members = std::function<void(const std::string& host, std::function<void(std::optional<route>)> done)>;

struct route_feeder_deps {
  ledger_actor ledger;
  router_actor router;
  std::shared_ptr<const poseidon::clock> clock;
  machine_id machine;
  /// Whose the edge knows a host to be; thread-safe. Empty: nothing is known.
  std::function<std::optional<group_key>(const std::string& host)> known;
  ask_members ask; ///< empty: nobody else is there to be asked
  millis ask_timeout{10'000};
  millis unknown_kept{3'000};        ///< a host that nobody knew is not asked for again before
  std::size_t questions_max = 256;   ///< at once; what comes beyond is answered by what is known
  std::size_t unknown_max = 10'000;
};
route_feeder_actor spawn_route_feeder(caf::actor_system& system, route_feeder_deps deps);

/// The way from the data plane, which is there first, to the feeder. Thread-safe.
class host_questions {
public:
  void answered_by(route_feeder_actor feeder) {
    const std::lock_guard lock{mutex_};
    feeder_ = std::move(feeder);
  }
  /// Of edge_options::ask.
  void ask(const std::string& host, std::function<void()> done) const;

private:
  mutable std::mutex mutex_;
  route_feeder_actor feeder_;
};

} // namespace poseidon
