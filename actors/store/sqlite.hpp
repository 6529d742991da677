#pragma once
// SQLite, thinly: one connection with a schema number. Used by one thread at a time.

#include "messages/errors.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace poseidon {

/// What a statement or a transaction failed of; caught by store_thread and by open_store.
struct store_error : std::runtime_error {
  errc code;
  store_error(errc c, const std::string& what) : std::runtime_error(what), code(c) {}
  failure as_failure() const { return {code, what(), std::nullopt, {}, {}}; }
};

/// A prepared statement. Binds and steps throw store_error.
class statement {
public:
  statement(sqlite3* db, std::string_view sql);
  /// Binds the next parameter; text and blobs are copied.
  statement& integer(std::int64_t value);
  statement& text(std::string_view value);
  statement& blob(std::string_view value);
  /// The same without a copy: the bytes stay where they are until the statement has run.
  statement& borrowed_blob(std::string_view value);
  /// Runs to the next row; false at the end, and the statement is ready to be bound anew.
  bool step();
  /// Runs a statement that yields no rows.
  void run() { while (step()) {} }
  /// Columns of the present row. Views last until the next step.
  std::int64_t integer_at(int column) const;
  std::string_view bytes_at(int column) const;
  /// Gives up the remaining rows.
  void reset();

private:
  void check(int result);
  struct finalize {
    void operator()(sqlite3_stmt* s) const;
  };
  std::unique_ptr<sqlite3_stmt, finalize> handle_;
  int next_ = 1;
};

/// One connection.
class sqlite {
public:
  explicit sqlite(const std::string& path);
  void execute(const std::string& sql);
  statement prepare(std::string_view sql) { return {handle_.get(), sql}; }
  std::int64_t last_row() const;
  /// Rows that the last statement changed.
  std::int64_t changes() const;
  /// Transactions rolled back so far: what is remembered of the tables may be wrong when there is one more.
  std::uint64_t rollbacks() const { return *rollbacks_; }
  /// Copies the whole database to another file.
  void copy_to(const std::string& path);

private:
  struct close {
    void operator()(sqlite3* db) const;
  };
  std::unique_ptr<std::uint64_t> rollbacks_ = std::make_unique<std::uint64_t>(0); ///< before the handle, which counts it up
  std::unique_ptr<sqlite3, close> handle_;
};

/// The shape of a database: schema number n is reached from n-1 by upgrades[n-1] (SQL); 0 is an empty file.
struct store_schema {
  std::string name; ///< for words: "the ledger"
  std::vector<std::string> upgrades;
  int version() const { return static_cast<int>(upgrades.size()); }
};

/// Opens or makes the database (WAL; a commit survives kill -9). An older schema is migrated, after a copy to
/// "<path>.schema<n>"; refused with words: a newer one (conflict), another program's or a damaged file (internal).
outcome<std::shared_ptr<sqlite>> open_store(const std::string& path, const store_schema& schema);

} // namespace poseidon
