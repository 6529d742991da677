#pragma once
// What this member knew and the next incarnation of a torn log lacks (rule 9): said again, until the log has it. Pure.

#include "actors/fold/state.hpp"

#include <deque>

namespace poseidon {

/// How the state that an incarnation begins with stands to the one that a member had before.
enum class lineage : std::uint8_t {
  goes_on, ///< it has folded what the member had folded, or is so far ahead that it can't be told
  behind,  ///< it lacks the member's last entries, and has none of its own
  forked,  ///< each has entries that the other lacks
};
lineage lineage_of(const ledger_state& old, const ledger_state& next);

/// What `old` knew and `next` lacks, as entries, in the order in which they have to be appended: rules in force, challenges, keys,
/// settings, limits, pause, node modes; the ends of instances that `next` believes alive; starts (same id, keys and spec), each followed by its
/// end where it has one. Where the two forked, what both know stays as `next` has it, but for ends.
std::vector<entry_body> missing_entries(const ledger_state& old, const ledger_state& next);

/// The list of what has to be said again. An item leaves it when the log holds an entry about the same thing: this member's, another's,
/// or whatever somebody has decided since.
class restoration {
public:
  /// The log began anew with `next`.
  void opened(const ledger_state& old, const ledger_state& next);
  /// An entry was folded, which left `now`.
  void folded(const entry& what, const verdict& judged, const ledger_state& now);
  /// The first items, at most `most`, that `now` still lacks; the rest waits until these have left the list.
  std::vector<entry_body> next(const ledger_state& now, std::size_t most);
  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  /// What was sent has left the list.
  bool may_go_on() const { return items_.empty() || items_.begin()->first >= sent_before_; }

private:
  void add(entry_body body);
  bool start_waits(const instance_id& instance) const;
  void drop_settled(const ledger_state& now);
  void drop(const std::string& subject);

  std::map<std::uint64_t, entry_body> items_; ///< in their order
  std::map<std::string, std::uint64_t> by_subject_;
  std::uint64_t next_number_ = 0, sent_before_ = 0;
};

} // namespace poseidon
