#pragma once
// The parts of the folded state that are looked up by hash. Nothing that leaves them is ordered by hash or by address.

#include "actors/fold/flat_index.hpp"
#include "messages/state.hpp"

#include <deque>
#include <map>
#include <unordered_map>

namespace poseidon {

/// A number that stands for an instance as long as it is known.
using row_number = std::uint32_t;
inline constexpr row_number no_row = flat_index::none;

/// A row as the fold keeps it: what everyone reads, and what only the fold needs.
struct fold_row : instance_row {
  row_number waiter = no_row;    ///< the instance that is queued behind this one's end (first: it fits into the base's padding)
  run_id fact_run;               ///< run of the last fact folded for the present epoch
  std::uint64_t fact_number : 63 = 0; ///< its number
  std::uint64_t expiring_said : 1 = 0; ///< for the present deadline (a bit, since a row has a budget)
};
using fold_row_ptr = std::shared_ptr<fold_row>;

/// What the slot of a row is called: the challenge, or an inline spec's digest.
const std::string& slot_challenge(const instance_row& row);

/// Every known instance, live and ended, found by id and (holders of a slot only) by slot.
class instance_table {
public:
  row_number find(const instance_id& id) const;
  row_number find_slot(const owner_key& owner, const std::string& challenge) const;
  const fold_row& at(row_number n) const { return *rows_[n]; }
  const fold_row_ptr& ptr(row_number n) const { return rows_[n]; }
  /// The row, for change: a copy when somebody else reads it.
  fold_row& edit(row_number n);
  row_number add(fold_row_ptr row);
  void forget(row_number n);
  /// The slot of this row is now held by it.
  void hold_slot(row_number n);
  void free_slot(row_number n);
  bool holds_slot(row_number n) const;
  /// The instance that is queued behind this one's end.
  row_number waiter(row_number n) const { return rows_[n]->waiter; }
  /// In place: readers of the row don't see it.
  void set_waiter(row_number n, row_number waiter) { rows_[n]->waiter = waiter; }
  std::size_t size() const { return by_id_.size(); }
  /// Calls `visit(number, row)` for each; in no particular order.
  template <class Visit>
  void each(Visit&& visit) const {
    for (row_number n = 0; n < rows_.size(); ++n)
      if (rows_[n]) visit(n, *rows_[n]);
  }

private:
  std::deque<fold_row_ptr> rows_;
  std::vector<row_number> free_;
  flat_index by_id_, by_slot_;
};

/// What one owner key holds.
struct owner_tally {
  row_number first = no_row; ///< one of its slots' holders: it has the key's text, and begins their list
  std::uint32_t slots = 0;
  std::uint64_t cost = 0;
};
/// Tallies by owner key. Their rows are linked instead of the key's text being stored once more for each.
class owner_table {
public:
  const owner_tally* find(const instance_table& rows, const owner_key& owner) const;
  /// Counts a slot in by its holder, or out.
  void add(const instance_table& rows, row_number holder, std::uint64_t cost);
  void remove(const instance_table& rows, row_number holder, std::uint64_t cost);
  std::size_t size() const { return index_.size(); }

private:
  struct link {
    row_number before = no_row, after = no_row;
  };
  std::uint32_t find_item(const instance_table& rows, const owner_key& owner) const;
  std::deque<owner_tally> items_;
  std::vector<std::uint32_t> free_;
  std::deque<link> links_; ///< by row number
  flat_index index_;
};

/// A client's idempotency key and what it is bound to.
struct bound_key {
  std::string key, body_digest;
  instance_id instance;
  struct position changed;
};
POSEIDON_FIELDS(bound_key, key, body_digest, instance, changed)
class key_table {
public:
  const bound_key* find(const std::string& key) const;
  void bind(bound_key key);
  /// Drops those for which `gone(key)` holds.
  template <class Gone>
  void drop_if(Gone&& gone) {
    for (std::uint32_t n = 0; n < items_.size(); ++n)
      if (!items_[n].key.empty() && gone(items_[n])) drop(n);
  }
  /// All of them, ordered by key.
  std::vector<bound_key> sorted() const;
  std::size_t size() const { return index_.size(); }

private:
  void drop(std::uint32_t n);
  std::deque<bound_key> items_;
  std::vector<std::uint32_t> free_;
  flat_index index_;
};

/// The ids of the last entries, oldest dropped first.
class seen_entries {
public:
  static constexpr std::size_t capacity = 100'000;
  bool contains(const entry_id& id) const;
  void add(const entry_id& id);
  /// Oldest first.
  std::vector<entry_id> ordered() const;

private:
  std::vector<entry_id> ring_;
  std::size_t next_ = 0;
  flat_index index_;
};

/// Resolved specs, each once; known as long as a row or a challenge uses it.
class spec_store {
public:
  /// Null when unknown.
  spec_ptr find(const spec_digest& digest) const;
  /// Counts one more user; `body` may be null when the digest is known.
  spec_ptr acquire(const spec_digest& digest, const spec_ptr& body);
  void release(const spec_digest& digest);
  /// The one shared object for this revision and digest.
  source_ptr source(const std::string& revision, const spec_digest& digest);
  std::size_t size() const { return specs_.size(); }

private:
  struct used_spec {
    spec_ptr body;
    std::uint64_t users = 0;
    std::map<std::string, source_ptr> sources;
  };
  std::unordered_map<spec_digest, used_spec> specs_;
};

} // namespace poseidon
