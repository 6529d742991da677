#pragma once
// Says once a second what this process is, hears the others, declares nodes lost that are silent (LEDGER.md rule 6), and
// activates newer rules of the fold once everybody can fold them (rule 12).

#include "actors/bus/bus.hpp"
#include "actors/interfaces.hpp"
#include "actors/membership/member_board.hpp"

namespace poseidon {

struct membership_deps {
  std::shared_ptr<poseidon::bus> bus;
  ledger_actor ledger;
  timers_actor timers;
  std::shared_ptr<const poseidon::clock> clock;
  std::shared_ptr<member_board> board;
  std::string cluster;
  heartbeat self;                        ///< what does not change; fold_version: the newest that this process can fold
  std::function<supervisor_actor()> node; ///< this process's own, a null handle for none
  bool declares = false;                 ///< appends node_lost and activate: with the role gateway
  member_limits limits;
  millis beat{1'000};
};

using membership_actor = ledger_subscriber::extend<reacts_to<timer_due>>;
membership_actor spawn_membership(caf::actor_system& system, membership_deps deps);

} // namespace poseidon
