#pragma once
// The notifier's tables. Used by the store's thread alone; throws store_error.

#include "actors/notifier/notify_store.hpp"
#include "actors/store/sqlite.hpp"

namespace poseidon {

const store_schema& notify_schema();

class notify_table {
public:
  explicit notify_table(sqlite& db);

  notify_start open(const std::vector<std::string>& receivers, struct position begin, wall_time now);
  put_result put(const put_items& what);
  std::vector<stored_item> load(const std::string& receiver, std::uint64_t after, std::size_t most);
  void drop(std::uint64_t row);
  void bury(const buried_item& what);
  dead_letters list(const list_dead_letters& what);
  std::map<std::string, std::uint64_t> replay(const replay_dead_letters& what, wall_time now);
  std::uint64_t share(const std::string& receiver, const tells_of& own);
  open_events open(const std::string& receiver, std::size_t most);
  void settle(const settled_events& what);
  void forget(wall_time died, wall_time watched);
  std::map<std::string, stored_counts> counts();

private:
  std::map<std::string, struct position> learn(const std::vector<std::string>& receivers, struct position begin, wall_time now);
  std::vector<std::string> instances_of(const char* table, const std::string& receiver);
  sqlite& db_;
  std::uint32_t buried_ = 0;
  statement put_, watch_, move_, load_, drop_, bury_, trim_;
};

} // namespace poseidon
