#pragma once
// The journal's tables; used by the store's thread alone (and once at start).

#include "actors/journal/journal_store.hpp"
#include "actors/store/sqlite.hpp"

#include <unordered_map>
#include <unordered_set>

namespace poseidon {

/// The schema of a journal's file.
const store_schema& journal_schema();

class journal_table {
public:
  /// Mints the identity of this DATA when the file is new. Throws store_error.
  journal_table(sqlite& db, tombstone_rule tombstones);

  void write(const journal_write& what, wall_time now);
  std::vector<waiting_fact> facts();
  journal_contents contents(wall_time now);

private:
  void put_record(const journal_record& record);
  void drop_facts(std::vector<std::uint64_t> numbers);
  void put_spec(const std::string& digest, const spec_ptr& spec);
  inventory_item left_behind(const group_key& key, const std::string& name, std::int64_t number);
  void look_again();
  void read_numbers();
  void forget(const group_key& key, wall_time now);
  void bound_tombstones(wall_time now);
  std::map<std::string, spec_ptr> specs(std::vector<std::string>& problems);

  sqlite& db_;
  tombstone_rule rule_;
  statement put_record_, get_record_, drop_record_, put_spec_, put_fact_, drop_facts_, put_tombstone_, old_tombstones_, many_tombstones_;
  std::unordered_map<std::string, std::int64_t> numbers_; ///< of the records that are there, by name
  std::int64_t last_number_ = 0;                          ///< of any record
  std::unordered_set<std::string> known_specs_; ///< digests that are stored already
  std::unordered_map<std::string, inventory_item> ending_; ///< by record: what some will leave behind, so that they need not be read again
  std::uint64_t rollbacks_seen_ = 0;            ///< what was remembered before them is forgotten
  std::uint32_t since_bound_ = 0;               ///< tombstones written since they were bounded
};

} // namespace poseidon
