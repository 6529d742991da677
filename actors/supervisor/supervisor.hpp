#pragma once
// A node process's root: turns what the fold assigned to this run into instance actors, and keeps them alive.

#include "actors/interfaces.hpp"
#include "actors/kit/restart_policy.hpp"

namespace poseidon {

/// How busy this machine is.
struct node_load {
  std::uint32_t cpu_permille = 0, memory_permille = 0;
};

/// Answers with what was kept of an instance that has ended; unknown_instance when nothing was.
using kept_logs_reader = caf::typed_actor<replies_to<read_logs>::with<outcome<log_text>>>;

struct supervisor_deps {
  std::string cluster;
  node_name node;
  run_id run;              ///< of this process
  machine_id machine;
  std::string version;
  std::map<std::string, std::string> tags;
  node_capacity capacity;  ///< 0: what the engine's machine has
  std::shared_ptr<const poseidon::clock> clock;
  ledger_actor ledger;
  journal_actor journal;
  runtime_actor runtime;
  timers_actor timers;
  kept_logs_reader kept_logs; ///< may be null: logs end with their instance
  instance_factory make_instance;
  std::function<reaper_actor()> make_reaper;
  std::function<node_load()> load;                                                ///< quick, thread-safe
  std::function<std::string(const instance_row&)> url_of;                         ///< an instance's public URL
  std::function<outcome<secret>(const sealed_secret&, const instance_id&)> unseal; ///< a player's flag
  std::function<outcome<sealed_secret>(const secret&, const instance_id&)> seal;
  /// May other processes count this node as lost while it does not reach the log? Quick, thread-safe. Empty: nobody ever does.
  std::function<bool()> others_judge;
  millis lost_after{15'000};    ///< after so much silence they do
  /// How far another node's wall clock is ahead of this one's: a deadline comes with an instance from there. Nothing: it was never
  /// heard. Empty: there is no other.
  std::function<std::optional<millis>(const node_name&)> clock_ahead;
  millis ask_timeout{10'000};
  millis list_timeout{35'000};
  millis image_wait{2'000};     ///< how long adoption waits for the ledger's image
  millis images_every{10'000};  ///< how often the engine's images are looked at
  millis first_retry{250};      ///< of registration; doubled up to
  millis longest_retry{5'000};
  millis child_grace{2'000};    ///< in a shutdown, before what is left is killed
  millis stop_limit{30'000};    ///< in a shutdown that stops instances: until they have ended
  restart_rule instance_rule{5, millis{60'000}, millis{100}, millis{5'000}};
  restart_rule reaper_rule{};
};

/// At its start: loads the journal, adopts what it holds (also while the engine is down), subscribes to the ledger, lists
/// the engine, registers; launches only once its node_up is folded. An instance actor that crashes is started again from
/// the journal, with back-off; one that keeps crashing is made to end. A drain with a limit: what is left when that has passed on
/// the boot clock since its mark was folded (a new run counts anew) ends as evicted. `shut_down` is answered when all children are gone,
/// and then it quits. Where others may count it as lost, a node that was away for more than half of `lost_after` (it stood still, or had
/// no log) registers anew before it launches or answers anything.
supervisor_actor spawn_supervisor(caf::actor_system& system, supervisor_deps deps);

} // namespace poseidon
