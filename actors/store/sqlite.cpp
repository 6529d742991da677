#include "actors/store/sqlite.hpp"

#include <sqlite3.h>

namespace poseidon {
namespace {

constexpr int application_id = 0x506f7365; // "Pose"

errc code_of(int result) {
  switch (result & 0xff) {
  case SQLITE_FULL: return errc::no_space;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB: return errc::internal;
  default: return errc::ledger_unavailable;
  }
}

[[noreturn]] void raise(sqlite3* db, int result) {
  throw store_error(code_of(result), db ? sqlite3_errmsg(db) : sqlite3_errstr(result));
}

std::int64_t pragma(sqlite& db, const std::string& name) {
  auto query = db.prepare("PRAGMA " + name);
  return query.step() ? query.integer_at(0) : 0;
}

void set_pragmas(sqlite& db) {
  db.execute("PRAGMA journal_mode=WAL");
  db.execute("PRAGMA synchronous=NORMAL");
  db.execute("PRAGMA wal_autocheckpoint=4000");
  db.execute("PRAGMA temp_store=MEMORY");
  db.execute("PRAGMA busy_timeout=5000");
}

void migrate(sqlite& db, const std::string& path, const store_schema& schema) {
  auto found = static_cast<int>(pragma(db, "user_version"));
  auto tables = db.prepare("SELECT count(*) FROM sqlite_master");
  tables.step();
  bool empty = tables.integer_at(0) == 0;
  tables.reset();
  if (!empty && pragma(db, "application_id") != application_id)
    throw store_error(errc::internal, path + " is not a file of Poseidon's");
  if (found > schema.version())
    throw store_error(errc::conflict, schema.name + " (" + path + ") has schema " + std::to_string(found) +
                                          ", written by a newer Poseidon; this one knows up to " + std::to_string(schema.version()));
  if (found == schema.version()) return;
  if (!empty) db.copy_to(path + ".schema" + std::to_string(found));
  db.execute("BEGIN IMMEDIATE");
  for (int n = found; n < schema.version(); ++n) db.execute(schema.upgrades[static_cast<std::size_t>(n)]);
  db.execute("PRAGMA application_id=" + std::to_string(application_id));
  db.execute("PRAGMA user_version=" + std::to_string(schema.version()));
  db.execute("COMMIT");
}

} // namespace

// --- statement ------------------------------------------------------------------------------------------------------

void statement::finalize::operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }

statement::statement(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* made = nullptr;
  int result = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &made, nullptr);
  handle_.reset(made);
  if (result != SQLITE_OK) raise(db, result);
}

void statement::check(int result) {
  if (result != SQLITE_OK) raise(sqlite3_db_handle(handle_.get()), result);
}

statement& statement::integer(std::int64_t value) {
  check(sqlite3_bind_int64(handle_.get(), next_++, value));
  return *this;
}

statement& statement::text(std::string_view value) {
  check(sqlite3_bind_text64(handle_.get(), next_++, value.empty() ? "" : value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

statement& statement::blob(std::string_view value) {
  check(sqlite3_bind_blob64(handle_.get(), next_++, value.empty() ? "" : value.data(), value.size(), SQLITE_TRANSIENT));
  return *this;
}

statement& statement::borrowed_blob(std::string_view value) {
  check(sqlite3_bind_blob64(handle_.get(), next_++, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC));
  return *this;
}

bool statement::step() {
  int result = sqlite3_step(handle_.get());
  if (result == SQLITE_ROW) return true;
  auto* db = sqlite3_db_handle(handle_.get());
  if (result == SQLITE_DONE) return reset(), false;
  store_error error(code_of(result), sqlite3_errmsg(db));
  reset();
  throw error;
}

void statement::reset() {
  sqlite3_reset(handle_.get());
  sqlite3_clear_bindings(handle_.get());
  next_ = 1;
}

std::int64_t statement::integer_at(int column) const { return sqlite3_column_int64(handle_.get(), column); }

std::string_view statement::bytes_at(int column) const {
  auto* data = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return data ? std::string_view(data, size) : std::string_view();
}

// --- connection -----------------------------------------------------------------------------------------------------

void sqlite::close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

sqlite::sqlite(const std::string& path) {
  sqlite3* made = nullptr;
  int result = sqlite3_open_v2(path.c_str(), &made, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(made);
  if (result != SQLITE_OK) raise(made, result);
  sqlite3_extended_result_codes(made, 1);
  sqlite3_rollback_hook(made, [](void* count) { ++*static_cast<std::uint64_t*>(count); }, rollbacks_.get());
}

void sqlite::execute(const std::string& sql) {
  char* words = nullptr;
  int result = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, &words);
  std::string text = words ? words : "";
  sqlite3_free(words);
  if (result != SQLITE_OK) throw store_error(code_of(result), text.empty() ? sqlite3_errstr(result) : text);
}

std::int64_t sqlite::last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
std::int64_t sqlite::changes() const { return sqlite3_changes64(handle_.get()); }

void sqlite::copy_to(const std::string& path) {
  sqlite target(path);
  auto* backup = sqlite3_backup_init(target.handle_.get(), "main", handle_.get(), "main");
  if (!backup) raise(target.handle_.get(), sqlite3_errcode(target.handle_.get()));
  int result = sqlite3_backup_step(backup, -1);
  sqlite3_backup_finish(backup);
  if (result != SQLITE_DONE) raise(target.handle_.get(), result);
}

outcome<std::shared_ptr<sqlite>> open_store(const std::string& path, const store_schema& schema) {
  // Nobody asks how much memory SQLite uses: counting it costs all threads one lock for each allocation.
  [[maybe_unused]] static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  try {
    auto db = std::make_shared<sqlite>(path);
    set_pragmas(*db);
    migrate(*db, path, schema);
    return db;
  } catch (const store_error& e) {
    auto why = e.as_failure();
    if (why.code != errc::conflict) why.detail = schema.name + " (" + path + ") can't be opened: " + why.detail;
    return why;
  }
}

} // namespace poseidon
