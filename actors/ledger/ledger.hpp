#pragma once
// The ledger actor: this process's replica. Appends and answers with the fold's verdict, tells subscribers every change in
// order, keeps the tail, and opens the log anew when it was torn (docs/ownership.md).

#include "actors/fold/version.hpp"
#include "actors/ledger/tail.hpp"
#include "messages/random.hpp"

namespace poseidon {

struct ledger_options {
  std::string appender;              ///< this process's name, in its entries
  run_id run;                        ///< this run of it
  bool leads = true;                 ///< may open an incarnation and forget what is old; false: an edge or a notifier only follows
  millis restore_after{0};           ///< after an incarnation of others it says again what that lacks; a node leaves it to gateways first
  millis append_timeout{10'000};     ///< then an append is answered `unknown_outcome`
  millis retry{500};                 ///< between attempts to reach log or disk
  std::uint64_t snapshot_every = 20'000; ///< entries; bounds the time to start
  millis compact_every{3'600'000};
  millis keep_events{7LL * 24 * 3'600'000}; ///< what ended longer ago is forgotten
  std::size_t most_pending = 65'536; ///< appends under way; more are refused
  std::uint32_t newest_fold = newest_fold_version; ///< rules beyond this in force: it stops
};

/// The other members of a cluster, as they are heard; both empty without a cluster. Called on the ledger's thread, never block.
struct other_members {
  struct member {
    std::string process;
    struct position at; ///< what it has folded
  };
  std::function<std::vector<member>()> heard; ///< this process not among them
  /// Asks one for its state; `then` is called once, on any thread.
  std::function<void(const std::string& process, std::function<void(outcome<tail_snapshot_ptr>)> then)> ask;
};

struct ledger_deps {
  log_actor log;
  tail_actor tail;
  timers_actor timers;
  const clock* time = nullptr;     ///< outlives the actor
  random_source* random = nullptr; ///< outlives the actor
  ledger_options options;
  std::function<void(const failure&)> stopped = {}; ///< it met what it can't fold, and does nothing any more: the process is too old
  other_members others = {};
};

/// The state at one position, encoded beside the ledger, which folds on meanwhile. ledger_unavailable while there is none yet.
struct take_snapshot {
  using poseidon_message = void;
};
using snapshot_source = caf::typed_actor<replies_to<take_snapshot>::with<outcome<tail_snapshot_ptr>>>;
using full_ledger_actor = ledger_actor::extend_with<snapshot_source>;

/// Spawns it. Subscriptions and reads are answered once the tail is loaded and the log's end has been reached, or the log
/// does not answer: then they are served from the tail, and appends are refused with ledger_unavailable.
full_ledger_actor spawn_ledger(caf::actor_system& system, ledger_deps deps);

} // namespace poseidon
