#include "actors/log/log_table.hpp"

#include "actors/store/encoded_entries.hpp"
#include "messages/codec.hpp"
#include "messages/digest.hpp"

#include <algorithm>

namespace poseidon {
namespace {

logged_entry read_row(const statement& row) {
  logged_entry entry{static_cast<std::uint64_t>(row.integer_at(0)), {row.integer_at(1)}, nullptr, nullptr};
  auto read = decode_entry(row.bytes_at(2));
  if (read) entry.what = std::make_shared<const poseidon::entry>(std::move(*read));
  else entry.problem = std::make_shared<const failure>(std::move(read.error));
  return entry;
}

logged_entry hole(std::uint64_t sequence) {
  return {sequence, {}, nullptr, std::make_shared<const failure>(failure{errc::bad_request, "the entry is missing", {}, {}, {}})};
}

/// The log's identity, minted by whoever opens it first.
std::string identity(sqlite& db) {
  auto insert = db.prepare("INSERT OR IGNORE INTO meta(name, value) VALUES('log', ?)");
  insert.text(to_string(mint<data_id>(system_random()))).run();
  auto query = db.prepare("SELECT value FROM meta WHERE name = 'log'");
  query.step();
  return std::string(query.bytes_at(0));
}

std::uint64_t number(statement& query) {
  query.step();
  auto value = static_cast<std::uint64_t>(query.integer_at(0));
  query.reset();
  return value;
}

} // namespace

const store_schema& log_schema() {
  static const store_schema schema{
      "the ledger",
      {"CREATE TABLE entries(sequence INTEGER PRIMARY KEY, logged_at_ms INTEGER NOT NULL, bytes BLOB NOT NULL);"
       "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"}};
  return schema;
}

log_table::log_table(sqlite& db)
    : db_(db), log_(identity(db)), insert_(db.prepare("INSERT INTO entries(logged_at_ms, bytes) VALUES(?, ?)")),
      read_(db.prepare("SELECT sequence, logged_at_ms, bytes FROM entries WHERE sequence > ? ORDER BY sequence LIMIT ?")),
      first_(db.prepare("SELECT min(sequence) FROM entries")), last_(db.prepare("SELECT max(sequence) FROM entries")),
      trim_(db.prepare("DELETE FROM entries WHERE sequence IN (SELECT sequence FROM entries WHERE sequence < ? ORDER BY sequence LIMIT ?)")) {}

log_extent log_table::extent() {
  auto last = number(last_);
  return {log_, last == 0 ? 1 : number(first_), last};
}

std::uint64_t log_table::append(const entry_ptr& what, wall_time now) {
  auto bytes = encode(*what);
  insert_.integer(now.ms).borrowed_blob(bytes).run();
  encoded_entries::of_process().put(what, std::move(bytes)); // the tail writes it next
  return static_cast<std::uint64_t>(db_.last_row());
}

std::vector<logged_entry> log_table::read_after(std::uint64_t sequence, std::size_t most, std::size_t bytes) {
  std::vector<logged_entry> entries;
  auto next = std::max(sequence + 1, extent().first);
  read_.integer(static_cast<std::int64_t>(sequence)).integer(static_cast<std::int64_t>(most));
  for (std::size_t taken = 0; taken < bytes && entries.size() < most && read_.step();) {
    auto row = read_row(read_);
    taken += read_.bytes_at(2).size();
    for (; next < row.sequence && entries.size() < most; ++next) entries.push_back(hole(next)); // told, not passed over
    if (entries.size() == most) break;
    next = row.sequence + 1;
    entries.push_back(std::move(row));
  }
  read_.reset();
  return entries;
}

bool log_table::trim(std::uint64_t before, std::size_t most) {
  before = std::min(before, extent().last);
  trim_.integer(static_cast<std::int64_t>(before)).integer(static_cast<std::int64_t>(most)).run();
  return extent().first < before;
}

} // namespace poseidon
