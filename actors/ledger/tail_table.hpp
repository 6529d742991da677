#pragma once
// The tail's tables; used by the store's thread alone.

#include "actors/ledger/tail.hpp"
#include "actors/store/sqlite.hpp"

namespace poseidon {

/// The schema of a tail's file.
const store_schema& tail_schema();

class tail_table {
public:
  /// Throws store_error.
  explicit tail_table(sqlite& db);

  /// Everything; batches that can't be read end it (what follows can't be folded without them).
  tail_contents load();
  void append(const std::vector<placed_entry>& entries);
  void save(const tail_snapshot& snapshot);

private:
  statement insert_, read_, drop_, put_snapshot_, read_snapshot_;
};

} // namespace poseidon
