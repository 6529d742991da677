#pragma once
// Who is next: one lane an owner key, first come first served within it, round robin between them.

#include "actors/fold/tables.hpp"

#include <map>
#include <set>

namespace poseidon {

/// The queue for capacity. Turns are counted, not timed; ties go to whoever was admitted first, then by name.
class fair_queue {
public:
  /// Where a lane stands: the turn in which it was last served (or joined), and its first item.
  struct turn_key {
    std::uint64_t turn = 0;
    struct position created;
    owner_key owner;
    friend auto operator<=>(const turn_key&, const turn_key&) = default;
  };

  void add(const owner_key& owner, struct position created, const instance_id& id, row_number row);
  /// Takes one out; `served`: it was its owner's turn. False when it was not there.
  bool remove(const owner_key& owner, struct position created, const instance_id& id, bool served);
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Lanes in the order of their turn; each value is the row at the lane's head.
  const std::map<turn_key, row_number>& heads() const { return order_; }
  /// How many are served before this one if room for one at a time comes free, plus one; 0: not queued.
  std::uint32_t place_of(const owner_key& owner, struct position created, const instance_id& id) const;

  /// For snapshots: the turn counter, and the turn of each lane.
  std::uint64_t turn() const { return turn_; }
  std::map<owner_key, std::uint64_t> lane_turns() const;
  void restore_turns(std::uint64_t turn, const std::map<owner_key, std::uint64_t>& lanes);

private:
  using item_key = std::pair<struct position, instance_id>;
  struct lane {
    std::uint64_t turn = 0;
    std::map<item_key, row_number> items;
  };
  turn_key key_of(const owner_key& owner, const lane& l) const { return {l.turn, l.items.begin()->first.first, owner}; }

  std::map<owner_key, lane> lanes_;
  std::map<turn_key, row_number> order_;
  std::uint64_t turn_ = 0;
  std::size_t size_ = 0;
};

} // namespace poseidon
