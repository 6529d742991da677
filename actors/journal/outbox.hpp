#pragma once
// Facts on their way to the ledger. Pure. Those of one instance go one after the other, so that none overtakes another
// whatever fails; those of different instances go side by side, oldest first.

#include "messages/commands.hpp"

#include <deque>
#include <map>
#include <unordered_map>

namespace poseidon {

/// A fact that has been committed and not yet folded. `number` orders all of them.
struct waiting_fact {
  std::uint64_t number = 0;
  group_key group;
  std::shared_ptr<const entry_body> body;
};

class outbox {
public:
  void add(waiting_fact fact);
  /// The next one to send, oldest first; null when all that may be sent now is on its way. It counts as on its way.
  const waiting_fact* take();
  /// It was folded: gone. Yields its group when that was the group's last one.
  std::optional<group_key> folded(std::uint64_t number);
  /// It was not: it stays the first of its instance, to be taken again.
  void failed(std::uint64_t number);

  bool waits(const group_key& group) const { return of_group_.contains(group); }
  std::size_t size() const { return size_; }
  std::size_t on_their_way() const { return on_their_way_.size(); }

private:
  std::map<instance_id, std::deque<waiting_fact>> of_instance_; ///< each in order
  std::map<std::uint64_t, instance_id> ready_;                  ///< first facts that are not on their way, by number
  std::unordered_map<std::uint64_t, instance_id> on_their_way_;
  std::map<group_key, std::size_t> of_group_;
  std::size_t size_ = 0;
};

/// Whether the fold's judgement of a fact is final. `stale` is not: the entry came too late, the fact is sent again.
bool is_final(const verdict& judged);

/// How long to wait after `failures` failures in a row: 50 ms, doubled each time, at most 2 s.
millis outbox_delay(std::uint32_t failures);

} // namespace poseidon
