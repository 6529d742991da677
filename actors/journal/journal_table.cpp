#include "actors/journal/journal_table.hpp"

#include "messages/codec.hpp"
#include "messages/digest.hpp"
#include "messages/msgpack.hpp"

#include <algorithm>

namespace poseidon {
namespace {

constexpr std::uint32_t bound_every = 256; // tombstones between two sweeps
constexpr std::size_t most_remembered = 10'000;

std::string key_text(const instance_id& instance, const epoch& at) { return instance.value + '/' + to_string(at); }

/// A record without its spec: that is stored once by digest.
std::string without_spec(const journal_record& record) {
  if (!record.spec || record.spec_id.empty()) return encode(record);
  const auto kept = [](std::string_view name, auto& member) { return name != "spec" && !msgpack_detail::left_out(member); };
  std::string bytes;
  bytes.reserve(1024);
  msgpack_writer out(bytes);
  std::size_t present = 0;
  poseidon_visit_fields(record, [&](std::string_view name, auto& member) { present += kept(name, member); });
  out.map(present);
  poseidon_visit_fields(record, [&](std::string_view name, auto& member) {
    if (!kept(name, member)) return;
    out.text(name);
    msgpack_detail::write(out, member);
  });
  return bytes;
}

std::int64_t number(sqlite& db, const char* sql) {
  auto query = db.prepare(sql);
  return query.step() ? query.integer_at(0) : 0;
}

data_id identity(sqlite& db) {
  auto insert = db.prepare("INSERT OR IGNORE INTO meta(name, value) VALUES('data', ?)");
  insert.text(to_string(mint<data_id>(system_random()))).run();
  auto query = db.prepare("SELECT value FROM meta WHERE name = 'data'");
  data_id id;
  if (!query.step() || !from_hex(query.bytes_at(0), id.high, id.low)) throw store_error(errc::internal, "the identity of DATA is damaged");
  return id;
}

} // namespace

const store_schema& journal_schema() {
  static const store_schema schema{
      "the journal",
      {"CREATE TABLE records(name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;"
       "CREATE TABLE specs(digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;"
       "CREATE TABLE facts(number INTEGER PRIMARY KEY, instance TEXT NOT NULL, epoch TEXT NOT NULL, bytes BLOB NOT NULL);"
       "CREATE TABLE tombstones(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, at_ms INTEGER NOT NULL, bytes BLOB NOT NULL);"
       "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",
       // Without an index by name: each tombstone changed some page of it, and nothing looks one up.
       "CREATE TABLE graves(number INTEGER PRIMARY KEY, name TEXT NOT NULL, at_ms INTEGER NOT NULL, bytes BLOB NOT NULL);"
       "INSERT INTO graves SELECT number, name, at_ms, bytes FROM tombstones;"
       "DROP TABLE tombstones;"
       "ALTER TABLE graves RENAME TO tombstones;",
       // By number, as the facts: neighbours change together, and a key that is a number is found with one comparison a level.
       "CREATE TABLE kept(number INTEGER PRIMARY KEY, name TEXT NOT NULL, bytes BLOB NOT NULL);"
       "INSERT INTO kept(name, bytes) SELECT name, bytes FROM records;"
       "DROP TABLE records;"
       "ALTER TABLE kept RENAME TO records;"}};
  return schema;
}

journal_table::journal_table(sqlite& db, tombstone_rule tombstones)
    : db_(db), rule_(tombstones),
      put_record_(db.prepare("INSERT OR REPLACE INTO records(number, name, bytes) VALUES(?, ?, ?)")),
      get_record_(db.prepare("SELECT bytes FROM records WHERE number = ?")), drop_record_(db.prepare("DELETE FROM records WHERE number = ?")),
      put_spec_(db.prepare("INSERT OR IGNORE INTO specs(digest, bytes) VALUES(?, ?)")),
      put_fact_(db.prepare("INSERT INTO facts(number, instance, epoch, bytes) VALUES(?, ?, ?, ?)")),
      drop_facts_(db.prepare("DELETE FROM facts WHERE number BETWEEN ? AND ?")),
      put_tombstone_(db.prepare("INSERT INTO tombstones(name, at_ms, bytes) VALUES(?, ?, ?)")),
      old_tombstones_(db.prepare("DELETE FROM tombstones WHERE at_ms < ?")),
      many_tombstones_(db.prepare("DELETE FROM tombstones WHERE number <= (SELECT max(number) FROM tombstones) - ?")) {
  identity(db);
  read_numbers();
}

/// What a transaction that was rolled back did is not there, whichever of its jobs was at fault: they are done again, each by itself.
void journal_table::look_again() {
  if (rollbacks_seen_ == db_.rollbacks()) return;
  rollbacks_seen_ = db_.rollbacks();
  known_specs_.clear();
  ending_.clear();
  read_numbers();
}

void journal_table::read_numbers() {
  numbers_.clear();
  auto query = db_.prepare("SELECT number, name FROM records");
  while (query.step()) {
    numbers_[std::string(query.bytes_at(1))] = query.integer_at(0);
    last_number_ = std::max(last_number_, query.integer_at(0));
  }
}

void journal_table::write(const journal_write& what, wall_time now) {
  look_again();
  for (auto& key : what.forgotten) forget(key, now);
  if (what.record) put_record(*what.record);
  for (auto& fact : what.facts)
    put_fact_.integer(static_cast<std::int64_t>(fact.number)).text(fact.group.instance.value).text(to_string(fact.group.epoch)).borrowed_blob(encode(*fact.body)).run();
  if (!what.folded.empty()) drop_facts(what.folded);
}

/// Facts are folded about as they were said: what is dropped together is mostly neighbours, and goes in few steps.
void journal_table::drop_facts(std::vector<std::uint64_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  for (auto first = numbers.begin(); first != numbers.end();) {
    auto end = first + 1;
    while (end != numbers.end() && *end == *(end - 1) + 1) ++end;
    drop_facts_.integer(static_cast<std::int64_t>(*first)).integer(static_cast<std::int64_t>(*(end - 1))).run();
    first = end;
  }
}

void journal_table::put_record(const journal_record& record) {
  if (record.spec && !record.spec_id.empty()) put_spec(record.spec_id.value, record.spec);
  auto name = key_text(record.instance, record.epoch);
  const auto bytes = without_spec(record);
  const auto [place, first] = numbers_.try_emplace(name, last_number_ + 1);
  if (first) ++last_number_; // never given twice
  put_record_.integer(place->second).text(name).borrowed_blob(bytes).run();
  if (record.phase == phase::gone) {
    if (ending_.size() >= most_remembered) ending_.clear();
    ending_.insert_or_assign(std::move(name), tombstone_of(record));
  } else if (!ending_.empty()) {
    ending_.erase(name);
  }
}

void journal_table::put_spec(const std::string& digest, const spec_ptr& spec) {
  if (known_specs_.contains(digest)) return;
  put_spec_.text(digest).blob(encode(*spec)).run();
  if (known_specs_.size() > most_remembered) known_specs_.clear();
  known_specs_.insert(digest);
}

inventory_item journal_table::left_behind(const group_key& key, const std::string& name, std::int64_t number) {
  if (auto known = ending_.extract(name)) return std::move(known.mapped());
  inventory_item tombstone{key.instance, key.epoch, true, {}, {}, {}, {}, {}, {}};
  get_record_.integer(number);
  if (!get_record_.step()) return tombstone;
  if (auto record = decode_record(get_record_.bytes_at(0))) tombstone = tombstone_of(*record);
  get_record_.reset();
  return tombstone;
}

void journal_table::forget(const group_key& key, wall_time now) {
  auto name = key_text(key.instance, key.epoch);
  const auto place = numbers_.find(name);
  if (place == numbers_.end()) return; // it was gone already
  const auto bytes = encode(left_behind(key, name, place->second));
  drop_record_.integer(place->second).run();
  put_tombstone_.text(name).integer(now.ms).borrowed_blob(bytes).run();
  numbers_.erase(place);
  if (++since_bound_ >= bound_every) bound_tombstones(now);
}

void journal_table::bound_tombstones(wall_time now) {
  since_bound_ = 0;
  old_tombstones_.integer(now.ms - rule_.age_ms).run();
  many_tombstones_.integer(static_cast<std::int64_t>(rule_.most)).run();
}

std::vector<waiting_fact> journal_table::facts() {
  std::vector<waiting_fact> all;
  auto query = db_.prepare("SELECT number, instance, epoch, bytes FROM facts ORDER BY number");
  while (query.step()) {
    auto at = epoch_from_string(query.bytes_at(2));
    auto body = decode_entry_body(query.bytes_at(3));
    if (!at || !body) continue; // told by contents()
    all.push_back({static_cast<std::uint64_t>(query.integer_at(0)), {instance_id{std::string(query.bytes_at(1))}, *at},
                   std::make_shared<const entry_body>(std::move(*body))});
  }
  return all;
}

std::map<std::string, spec_ptr> journal_table::specs(std::vector<std::string>& problems) {
  std::map<std::string, spec_ptr> all;
  auto query = db_.prepare("SELECT digest, bytes FROM specs");
  while (query.step()) {
    std::string digest(query.bytes_at(0));
    auto spec = decode_spec(query.bytes_at(1));
    if (spec) all.emplace(std::move(digest), std::make_shared<const instance_spec>(std::move(*spec)));
    else problems.push_back("spec " + digest + ": " + spec.error.detail);
  }
  return all;
}

journal_contents journal_table::contents(wall_time now) {
  bound_tombstones(now);
  journal_contents all;
  all.data = identity(db_);
  all.waiting_facts = static_cast<std::uint64_t>(number(db_, "SELECT count(*) FROM facts"));
  auto spec_of = specs(all.problems);
  auto records = db_.prepare("SELECT name, bytes FROM records");
  while (records.step()) {
    auto record = decode_record(records.bytes_at(1));
    if (!record) {
      all.problems.push_back("record " + std::string(records.bytes_at(0)) + ": " + record.error.detail);
      continue;
    }
    if (!record->spec) {
      if (auto spec = spec_of.find(record->spec_id.value); spec != spec_of.end()) record->spec = spec->second;
      else if (!record->spec_id.empty()) all.problems.push_back("record " + std::string(records.bytes_at(0)) + ": its spec is missing");
    }
    all.records.push_back(std::make_shared<const journal_record>(std::move(*record)));
  }
  auto tombstones = db_.prepare("SELECT bytes FROM tombstones WHERE number IN (SELECT max(number) FROM tombstones GROUP BY name) ORDER BY number");
  while (tombstones.step())
    if (auto item = decode_inventory_item(tombstones.bytes_at(0))) all.tombstones.push_back(std::move(*item));
  return all;
}

} // namespace poseidon
