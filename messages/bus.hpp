#pragma once
// What processes say to each other beside the log: replies in their envelope, heartbeats, and how notifiers share.

#include "messages/commands.hpp"

namespace poseidon {

/// The answer to a request: the msgpack of its value, or why there is none.
struct bus_reply {
  failure why;
  blob value;
};
POSEIDON_FIELDS(bus_reply, why, value)

/// What a process says of itself once a second; may be lost (LEDGER.md rule 6).
struct heartbeat {
  std::string process;            ///< name, as of its node
  run_id run;
  std::string key_check;          ///< of the cluster key: one with another key is no member
  std::vector<std::string> roles;
  machine_id machine;
  std::string version;            ///< of the program
  struct position folded;         ///< where its replica stands
  std::string relay;              ///< where its edge takes connections of other machines' edges, host:port; empty: nowhere
  std::optional<node_status> node; ///< set with the role node
  std::uint32_t fold_version = 1;  ///< the newest that it can fold (LEDGER.md rule 12)
  wall_time at;                    ///< its own wall clock
};
POSEIDON_FIELDS(heartbeat, process, run, key_check, roles, machine, version, folded, relay, node, fold_version, at)

/// Once a second, what a notifier says of one receiver (docs/notifications.md, "Several notifiers"): who this notifier believes to
/// share it, and how far it is with its own part.
struct notifier_word {
  std::string process;           ///< name, as of its node
  run_id run;
  std::string key_check;         ///< of the cluster key: one with another key is no member
  std::string receiver;
  std::string rule;              ///< digest of what the receiver wants: notifiers share one only if they agree on that
  std::vector<std::string> view; ///< who shares it now, sorted; empty: not known yet
  std::vector<std::string> next; ///< it tells of nothing any more that is not its own under this sharing
  /// Events of its own under `view` in (after, up_to] have been delivered or given up, but for these.
  struct position after, up_to;
  std::vector<std::string> open; ///< event ids
};
POSEIDON_FIELDS(notifier_word, process, run, key_check, receiver, rule, view, next, after, up_to, open)

/// Which machine serves this host? Answered with the route, by the edge there alone.
struct ask_route {
  std::string host;
};
POSEIDON_FIELDS(ask_route, host)

} // namespace poseidon
