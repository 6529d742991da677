#pragma once
// The notifier: follows the ledger, stores each event that a receiver wants, delivers it until it is there
// (docs/notifications.md).

#include "actors/bus/bus.hpp"
#include "actors/interfaces.hpp"
#include "actors/notifier/notifier_peers.hpp"
#include "actors/notifier/notify_store.hpp"
#include "messages/random.hpp"

namespace poseidon {

/// The way to receivers. Thread-safe.
class webhook_port {
public:
  virtual ~webhook_port() = default;
  /// Makes one request; `done` is called once, on any thread, within the limit of the deps. forbidden: this address is never
  /// asked; any other failure: no answer.
  virtual void send(const std::string& receiver, const delivery_attempt& what, std::function<void(outcome<receiver_reply>)> done) = 0;
};

/// How ledger changes read as events: the same words as the API's event streams. Used by the notifier alone.
class notification_source {
public:
  virtual ~notification_source() = default;
  virtual void load(const ledger_image& image) = 0;
  /// The events of these changes, in order; changes up to the loaded image's position have none.
  virtual std::vector<notification_ptr> apply(const std::vector<ledger_change>& changes) = 0;
  /// When changes after a position can't be had: where each instance that changed since stands now.
  virtual std::vector<notification_ptr> missed(const ledger_image& image, struct position after) = 0;
};

struct notifier_options {
  std::string self;                 ///< this notifier's name
  std::vector<std::string> members; ///< notifiers that share the instances whatever happens, itself among them; empty: those that
                                    ///< are heard on the bus, and without a bus this one alone
  run_id run;                       ///< of this process
  std::string key_check;            ///< of the cluster key
  peer_limits peers;
  millis beat{1'000};               ///< between two words to the others
  millis hand_over{20'000};         ///< longest wait for the others when the sharing changes
  retry_rule retry;
  millis send_limit{15'000};        ///< the port answers within
  millis dead_keep{7LL * 86'400'000};
  std::size_t in_memory = 1000;     ///< events of one receiver; the others wait in the store
  std::size_t most_unstored = 50'000; ///< events that wait for the disk; beyond, they are read from the ledger again
  millis again{1'000};              ///< between attempts to reach ledger or disk
};

struct notifier_deps {
  ledger_actor ledger;
  history_actor history;
  timers_actor timers;
  std::shared_ptr<const clock> time;
  std::shared_ptr<random_source> random;
  std::shared_ptr<notify_store> store;
  std::shared_ptr<webhook_port> port;
  std::shared_ptr<notification_source> source;
  std::vector<receiver_rule> receivers;
  std::function<void(std::vector<receiver_status>)> publish; ///< told of every change; thread-safe, quick
  notifier_options options;
  std::shared_ptr<poseidon::bus> bus; ///< to other notifiers; null: there are none
  std::string cluster;
};

/// Spawns it; it subscribes by itself.
notifier_actor spawn_notifier(caf::actor_system& system, notifier_deps deps);

} // namespace poseidon
