#pragma once
// The log's table; used by the store's thread alone.

#include "actors/interfaces.hpp"
#include "actors/store/sqlite.hpp"

namespace poseidon {

/// The schema of a log's file.
const store_schema& log_schema();

class log_table {
public:
  /// Mints the log's identity when the file is new. Throws store_error.
  explicit log_table(sqlite& db);

  log_extent extent();
  /// Appends and yields its sequence.
  std::uint64_t append(const entry_ptr& what, wall_time now);
  /// Entries after a sequence, at most so many and about so many bytes (at least one entry).
  std::vector<logged_entry> read_after(std::uint64_t sequence, std::size_t most, std::size_t bytes);
  /// Drops at most `most` entries before a sequence, never the last one (its place is where the log goes on). Yields
  /// whether more remain.
  bool trim(std::uint64_t before, std::size_t most);

private:
  sqlite& db_;
  std::string log_;
  statement insert_, read_, first_, last_, trim_;
};

} // namespace poseidon
