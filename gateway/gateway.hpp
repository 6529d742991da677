#pragma once
// The HTTP gateway: server, read model, and the way to the actors. See docs/api.md.

#include "actors/interfaces.hpp"
#include "gateway/api.hpp"
#include "gateway/backup_source.hpp"

namespace poseidon::gateway {

struct gateway_deps {
  caf::actor_system* system = nullptr;
  scheduler_actor scheduler;
  ledger_actor ledger;
  catalogue_actor catalogue; ///< null: no challenge folders
  std::function<notifier_actor()> notifier; ///< thread-safe; answers null while there is none
  std::function<backup_source()> backups;   ///< the same
  std::shared_ptr<const poseidon::clock> clock;
  std::shared_ptr<random_source> random;
  api_hooks hooks;
};

/// Owns its threads and actors. Not to be used from one of them.
class gateway {
public:
  /// Spawns the view's actor, which subscribes at once; binds nothing yet. `deps.system` outlives the gateway.
  gateway(gateway_config config, gateway_deps deps);
  ~gateway();
  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;

  /// Binds, then serves. Throws std::runtime_error that says which address can't be had and why.
  std::vector<bound_address> start();
  /// For nodes on this machine: progress and timings for readers.
  telemetry_actor telemetry() const;
  const view& model() const;
  /// Stops accepting, finishes what is under way within config.drain_limit, closes the rest.
  void stop();

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// The part of the configuration that settings decide; threads and URLs of the edge are the caller's.
gateway_config config_from(const config::settings& settings);

} // namespace poseidon::gateway
