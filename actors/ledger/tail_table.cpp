#include "actors/ledger/tail_table.hpp"

#include "actors/store/encoded_entries.hpp"
#include "messages/codec.hpp"
#include "messages/msgpack.hpp"

namespace poseidon {
namespace {

/// One entry as a batch keeps it.
struct tail_item {
  struct position at;
  wall_time logged_at;
  blob what;
};
POSEIDON_FIELDS(tail_item, at, logged_at, what)

/// Reads a batch; false when some of it can't be read.
bool read_batch(std::string_view bytes, std::vector<placed_entry>& out) {
  auto items = unpack<std::vector<tail_item>>(bytes);
  if (!items) return false;
  for (auto& item : *items) {
    auto what = decode_entry(item.what.bytes);
    if (!what) return false;
    out.push_back({item.at, item.logged_at, std::make_shared<const entry>(std::move(*what))});
  }
  return true;
}

} // namespace

const store_schema& tail_schema() {
  // A batch is one commit's entries, in the order of their arrival; incarnation and sequence are its last entry's.
  static const store_schema schema{
      "the ledger's tail",
      {"CREATE TABLE batches (number INTEGER PRIMARY KEY AUTOINCREMENT, incarnation INTEGER NOT NULL, sequence INTEGER NOT NULL,"
       " bytes BLOB NOT NULL);"
       "CREATE TABLE snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), incarnation INTEGER NOT NULL, sequence INTEGER NOT NULL,"
       " entry TEXT NOT NULL, logged_at INTEGER NOT NULL, digest TEXT NOT NULL, bytes BLOB NOT NULL);",
       // Without AUTOINCREMENT, whose counter is one more page of each commit: numbers only order the batches that are there.
       "CREATE TABLE parts (number INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, sequence INTEGER NOT NULL, bytes BLOB NOT NULL);"
       "INSERT INTO parts SELECT number, incarnation, sequence, bytes FROM batches;"
       "DROP TABLE batches;"
       "ALTER TABLE parts RENAME TO batches;"}};
  return schema;
}

tail_table::tail_table(sqlite& db)
    : insert_(db.prepare("INSERT INTO batches (incarnation, sequence, bytes) VALUES (?, ?, ?)")),
      read_(db.prepare("SELECT bytes FROM batches ORDER BY number")),
      drop_(db.prepare("DELETE FROM batches WHERE (incarnation, sequence) <= (?, ?)")),
      put_snapshot_(db.prepare("INSERT OR REPLACE INTO snapshot (id, incarnation, sequence, entry, logged_at, digest, bytes)"
                               " VALUES (1, ?, ?, ?, ?, ?, ?)")),
      read_snapshot_(db.prepare("SELECT incarnation, sequence, entry, logged_at, digest, bytes FROM snapshot WHERE id = 1")) {}

tail_contents tail_table::load() {
  tail_contents contents;
  if (read_snapshot_.step()) {
    auto snapshot = std::make_shared<tail_snapshot>();
    snapshot->at = {static_cast<std::uint64_t>(read_snapshot_.integer_at(0)), static_cast<std::uint64_t>(read_snapshot_.integer_at(1))};
    from_hex(read_snapshot_.bytes_at(2), snapshot->last.high, snapshot->last.low);
    snapshot->logged_at = {read_snapshot_.integer_at(3)};
    snapshot->digest = read_snapshot_.bytes_at(4);
    snapshot->bytes = read_snapshot_.bytes_at(5);
    contents.snapshot = std::move(snapshot);
  }
  read_snapshot_.reset();
  while (read_.step())
    if (!read_batch(read_.bytes_at(0), contents.entries)) break;
  read_.reset();
  return contents;
}

void tail_table::append(const std::vector<placed_entry>& entries) {
  std::vector<tail_item> items;
  items.reserve(entries.size());
  std::size_t size = 0;
  for (const auto& e : entries) {
    items.push_back({e.at, e.logged_at, {encoded_entries::of_process().take(e.what)}});
    size += items.back().what.bytes.size() + 64;
  }
  std::string bytes;
  bytes.reserve(size);
  pack_to(bytes, items);
  const auto& last = entries.back().at;
  insert_.integer(static_cast<std::int64_t>(last.incarnation)).integer(static_cast<std::int64_t>(last.sequence)).borrowed_blob(bytes).run();
}

void tail_table::save(const tail_snapshot& s) {
  const auto incarnation = static_cast<std::int64_t>(s.at.incarnation), sequence = static_cast<std::int64_t>(s.at.sequence);
  put_snapshot_.integer(incarnation).integer(sequence).text(to_string(s.last)).integer(s.logged_at.ms).text(s.digest).borrowed_blob(s.bytes).run();
  drop_.integer(incarnation).integer(sequence).run();
}

} // namespace poseidon
