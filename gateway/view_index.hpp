#pragma once
// The view's table of instances and its orders. Not thread-safe by itself; internal to the view.

#include "gateway/decisions.hpp"
#include "messages/journal.hpp"
#include "messages/state.hpp"

#include <array>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace poseidon::gateway {

inline constexpr std::size_t instance_states = 8;

/// One instance in the view. Small: there is one for every row that the ledger keeps.
struct slot_entry {
  row_ptr row;
  std::unique_ptr<std::string> note; ///< rare
  packed_decision decision;          ///< of the present assignment; null: not known
  std::array<char, 16> token{}; ///< of its watch URL
  std::int8_t phase = -1;      ///< poseidon::phase; -1: not told
  std::int8_t percent = -1;    ///< -1: not told
  std::int8_t told_state = -1; ///< instance_state of its last event; -1: none yet
};

/// Where an instance stands in a list: live ones first, then newest first.
struct list_key {
  bool ended = false;
  position created;
  std::string_view id;
};
list_key key_of_row(const instance_row& row);

struct list_order {
  using is_transparent = void;
  bool operator()(const list_key& a, const list_key& b) const;
  bool operator()(const slot_entry* a, const slot_entry* b) const { return (*this)(key_of_row(*a->row), key_of_row(*b->row)); }
  bool operator()(const slot_entry* a, const list_key& b) const { return (*this)(key_of_row(*a->row), b); }
  bool operator()(const list_key& a, const slot_entry* b) const { return (*this)(a, key_of_row(*b->row)); }
};
using slot_list = std::set<slot_entry*, list_order>;

/// Text form of a place in a list, for cursors.
std::string to_cursor(const list_key& key);
/// Nothing when it is none. `storage` keeps the id that the key points to.
std::optional<list_key> from_cursor(std::string_view text, std::string& storage);

class slot_table {
public:
  slot_entry* find(std::string_view id) const;
  /// Inserts, or replaces the row of that id.
  slot_entry& put(const row_ptr& row);
  void erase(std::string_view id);
  void clear();
  std::size_t size() const { return entries_.size(); }

  const slot_list& all() const { return all_; }
  const slot_list* of_user(const std::string& user) const { return find_list(by_owner_, "user:" + user); }
  const slot_list* of_team(const std::string& team) const { return find_list(by_owner_, "team:" + team); }
  const slot_list* of_challenge(const std::string& id) const { return find_list(by_challenge_, id); }
  const slot_list* of_node(const std::string& name) const { return find_list(by_node_, name); }
  const slot_list& queued() const { return queued_; }
  /// Running ones by deadline.
  const std::set<std::pair<std::int64_t, slot_entry*>>& by_deadline() const { return by_deadline_; }
  const std::array<std::uint64_t, instance_states>& counts() const { return counts_; }
  /// Live instances of that challenge.
  std::uint64_t live_of(const std::string& challenge) const;

private:
  struct by_id {
    using is_transparent = void;
    std::size_t operator()(std::string_view id) const { return std::hash<std::string_view>{}(id); }
    std::size_t operator()(const std::unique_ptr<slot_entry>& e) const { return (*this)(std::string_view(e->row->id.value)); }
    bool operator()(const std::unique_ptr<slot_entry>& a, const std::unique_ptr<slot_entry>& b) const { return a->row->id == b->row->id; }
    bool operator()(const std::unique_ptr<slot_entry>& a, std::string_view b) const { return a->row->id.value == b; }
    bool operator()(std::string_view a, const std::unique_ptr<slot_entry>& b) const { return b->row->id.value == a; }
  };
  using list_map = std::unordered_map<std::string, slot_list>;
  static const slot_list* find_list(const list_map& map, const std::string& key);
  template <class Visit>
  void visit_lists(const instance_row& row, Visit&& visit);
  void link(slot_entry& entry);
  void unlink(slot_entry& entry);

  std::unordered_set<std::unique_ptr<slot_entry>, by_id, by_id> entries_;
  slot_list all_, queued_;
  list_map by_owner_, by_challenge_, by_node_;
  std::unordered_map<std::string, std::uint64_t> live_by_challenge_;
  std::set<std::pair<std::int64_t, slot_entry*>> by_deadline_;
  std::array<std::uint64_t, instance_states> counts_{};
};

} // namespace poseidon::gateway
