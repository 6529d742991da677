#pragma once
// What becomes of each object that an engine holds: a pure comparison of what exists, what the journal says it is, and
// what the ledger says shall be.

#include "messages/journal.hpp"
#include "messages/state.hpp"

#include <map>
#include <set>

namespace poseidon {

enum class reap_action : std::uint8_t {
  ignore, ///< not labelled ours: never touched, never mentioned
  keep,   ///< stays, for now or for as long as its instance lives
  adopt,  ///< the ledger wants it here and the journal has lost it: the supervisor takes it over
  finish, ///< its instance is ending: the instance's actor removes it
  remove, ///< belongs to nothing that lives
};
POSEIDON_ENUM(reap_action, ignore, keep, adopt, finish, remove)

struct reap_verdict {
  reap_action action = reap_action::keep;
  std::string why; ///< one clause, for people
  friend bool operator==(const reap_verdict&, const reap_verdict&) = default;
};

/// What the ledger knows of one instance.
struct ledger_view {
  struct epoch epoch;
  node_name node;
  bool ended = false;
};

/// Everything the comparison stands on. The objects have to be listed before the journal and the ledger are read: what was
/// made since then is in none of the lists, and what is in the list is known to the journal that made it.
struct reap_knowledge {
  std::string cluster;
  node_name node;
  wall_time now;
  millis safety_window{60'000};             ///< younger objects are left alone, whatever they are
  std::map<group_key, bool> held;           ///< the journal's records; true: it is to end
  std::set<group_key> tombstones;           ///< what the journal says has ended
  std::map<instance_id, ledger_view> ledger;
};

/// Judges one object.
reap_verdict judge_object(const runtime_object& object, const reap_knowledge& known);

/// One object and what becomes of it.
struct judged_object {
  runtime_object object;
  reap_verdict verdict;
};

/// Judges all of a list; what is not ours is left out. In the order in which removals have to be done: containers, shims,
/// networks, volumes.
std::vector<judged_object> reconcile(const std::vector<runtime_object>& objects, const reap_knowledge& known);

/// Whether these labels say that the object is this node's.
bool labelled_ours(const std::map<std::string, std::string>& object_labels, const std::string& cluster, const node_name& node);

} // namespace poseidon
