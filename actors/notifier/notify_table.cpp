#include "actors/notifier/notify_table.hpp"

#include <algorithm>
#include <initializer_list>

namespace poseidon {
namespace {

std::int64_t signed_of(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t unsigned_of(std::int64_t value) { return static_cast<std::uint64_t>(value); }
std::string text_of(std::string_view bytes) { return std::string(bytes); }

/// A statement of several pieces.
std::string sql(std::initializer_list<std::string_view> pieces) {
  std::string all;
  for (const auto piece : pieces) all.append(piece);
  return all;
}

constexpr std::uint32_t bound_every = 256; // buried between two looks at how many there are

constexpr const char* event_columns = "event, type, instance, challenge, incarnation, sequence, body";

} // namespace

const store_schema& notify_schema() {
  static const store_schema schema{
      "the notifier's store",
      {"CREATE TABLE cursor(one INTEGER PRIMARY KEY CHECK(one = 1), incarnation INTEGER NOT NULL, sequence INTEGER NOT NULL);"
       "CREATE TABLE receivers(name TEXT PRIMARY KEY, incarnation INTEGER NOT NULL, sequence INTEGER NOT NULL) WITHOUT ROWID;"
       "CREATE TABLE pending(row INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL, stored_at INTEGER NOT NULL, event TEXT NOT NULL,"
       " type TEXT NOT NULL, instance TEXT NOT NULL, challenge TEXT NOT NULL, incarnation INTEGER NOT NULL, sequence INTEGER NOT NULL, body BLOB NOT NULL,"
       " UNIQUE(receiver, event));"
       "CREATE INDEX pending_order ON pending(receiver, row);"
       "CREATE TABLE dead(id INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL, died_at INTEGER NOT NULL, attempts INTEGER NOT NULL, reason TEXT NOT NULL,"
       " event TEXT NOT NULL, type TEXT NOT NULL, instance TEXT NOT NULL, challenge TEXT NOT NULL, incarnation INTEGER NOT NULL, sequence INTEGER NOT NULL,"
       " body BLOB NOT NULL);"
       "CREATE INDEX dead_order ON dead(receiver, id);",
       "CREATE TABLE watched(row INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL, stored_at INTEGER NOT NULL, event TEXT NOT NULL,"
       " type TEXT NOT NULL, instance TEXT NOT NULL, challenge TEXT NOT NULL, incarnation INTEGER NOT NULL, sequence INTEGER NOT NULL, body BLOB NOT NULL,"
       " UNIQUE(receiver, event));"
       "CREATE INDEX watched_place ON watched(receiver, incarnation, sequence);"
       "CREATE INDEX watched_instance ON watched(receiver, instance);"
       "ALTER TABLE pending ADD COLUMN again INTEGER NOT NULL DEFAULT 0;"
       "CREATE INDEX pending_place ON pending(receiver, incarnation, sequence);"
       "CREATE INDEX pending_instance ON pending(receiver, instance);"}};
  return schema;
}

notify_table::notify_table(sqlite& db)
    : db_(db), put_(db.prepare(sql({"INSERT OR IGNORE INTO pending(receiver, stored_at, ", event_columns, ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"}))),
      watch_(db.prepare(sql({"INSERT OR IGNORE INTO watched(receiver, stored_at, ", event_columns, ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"}))),
      move_(db.prepare("INSERT INTO cursor(one, incarnation, sequence) VALUES(1, ?, ?) ON CONFLICT(one) DO UPDATE SET incarnation = excluded.incarnation, "
                       "sequence = excluded.sequence")),
      load_(db.prepare(sql({"SELECT row, stored_at, ", event_columns, ", again FROM pending WHERE receiver = ? AND row > ? ORDER BY row LIMIT ?"}))),
      drop_(db.prepare("DELETE FROM pending WHERE row = ?")),
      bury_(db.prepare(sql({"INSERT INTO dead(receiver, died_at, attempts, reason, ", event_columns, ") SELECT receiver, ?, ?, ?, ", event_columns,
                            " FROM pending WHERE row = ?"}))),
      trim_(db.prepare("DELETE FROM dead WHERE id IN (SELECT id FROM dead WHERE receiver = (SELECT receiver FROM pending WHERE row = ?) ORDER BY id DESC LIMIT -1 "
                       "OFFSET ?)")) {}

notify_start notify_table::open(const std::vector<std::string>& receivers, struct position begin, wall_time now) {
  notify_start start;
  auto cursor = db_.prepare("SELECT incarnation, sequence FROM cursor");
  if (cursor.step()) start.cursor = {unsigned_of(cursor.integer_at(0)), unsigned_of(cursor.integer_at(1))};
  cursor.reset();
  start.since = learn(receivers, begin, now);
  start.counts = counts();
  return start;
}

std::map<std::string, struct position> notify_table::learn(const std::vector<std::string>& receivers, struct position begin, wall_time now) {
  auto insert = db_.prepare("INSERT OR IGNORE INTO receivers(name, incarnation, sequence) VALUES(?, ?, ?)");
  for (auto& name : receivers) insert.text(name).integer(signed_of(begin.incarnation)).integer(signed_of(begin.sequence)).run();
  std::map<std::string, struct position> known;
  auto query = db_.prepare("SELECT name, incarnation, sequence FROM receivers");
  while (query.step()) known[text_of(query.bytes_at(0))] = {unsigned_of(query.integer_at(1)), unsigned_of(query.integer_at(2))};
  auto forget = db_.prepare("DELETE FROM receivers WHERE name = ?");
  auto keep = db_.prepare(sql({"INSERT INTO dead(receiver, died_at, attempts, reason, ", event_columns,
                               ") SELECT receiver, ?, 0, 'the receiver is no longer configured', ", event_columns, " FROM pending WHERE receiver = ? ORDER BY row"}));
  auto abandon = db_.prepare("DELETE FROM pending WHERE receiver = ?");
  auto unwatch = db_.prepare("DELETE FROM watched WHERE receiver = ?");
  std::erase_if(known, [&](auto& one) {
    if (std::ranges::find(receivers, one.first) != receivers.end()) return false;
    forget.text(one.first).run();
    keep.integer(now.ms).text(one.first).run();
    abandon.text(one.first).run();
    unwatch.text(one.first).run();
    return true;
  });
  return known;
}

put_result notify_table::put(const put_items& what) {
  put_result result;
  const auto insert = [&](statement& into, const new_item& item) {
    auto& e = *item.what;
    into.text(item.receiver).integer(what.now.ms).text(e.id).text(e.type).text(e.instance).text(e.challenge);
    into.integer(signed_of(e.at.incarnation)).integer(signed_of(e.at.sequence)).blob(e.body).run();
    return db_.changes() > 0;
  };
  for (auto& item : what.items)
    if (insert(put_, item)) ++result.added[item.receiver];
  for (auto& item : what.watched) insert(watch_, item);
  move_.integer(signed_of(what.cursor.incarnation)).integer(signed_of(what.cursor.sequence)).run();
  return result;
}

std::vector<stored_item> notify_table::load(const std::string& receiver, std::uint64_t after, std::size_t most) {
  std::vector<stored_item> items;
  load_.text(receiver).integer(signed_of(after)).integer(static_cast<std::int64_t>(most));
  while (load_.step()) {
    auto what = std::make_shared<notification>();
    what->id = text_of(load_.bytes_at(2));
    what->type = text_of(load_.bytes_at(3));
    what->instance = text_of(load_.bytes_at(4));
    what->challenge = text_of(load_.bytes_at(5));
    what->at = {unsigned_of(load_.integer_at(6)), unsigned_of(load_.integer_at(7))};
    what->body = text_of(load_.bytes_at(8));
    items.push_back({unsigned_of(load_.integer_at(0)), {load_.integer_at(1)}, std::move(what), load_.integer_at(9) != 0});
  }
  return items;
}

void notify_table::drop(std::uint64_t row) { drop_.integer(signed_of(row)).run(); }

void notify_table::bury(const buried_item& what) {
  bury_.integer(what.now.ms).integer(what.attempts).text(what.why).integer(signed_of(what.row)).run();
  if (++buried_ % bound_every == 0) trim_.integer(signed_of(what.row)).integer(static_cast<std::int64_t>(most_dead_letters)).run();
  drop(what.row);
}

dead_letters notify_table::list(const list_dead_letters& what) {
  dead_letters found;
  auto query = db_.prepare("SELECT id, receiver, event, type, instance, challenge, died_at, attempts, reason FROM dead WHERE id > ? AND (? = '' OR receiver = ?) "
                           "ORDER BY id LIMIT ?");
  query.integer(signed_of(what.after)).text(what.receiver).text(what.receiver).integer(std::int64_t{what.limit} + 1);
  while (query.step()) {
    if (found.items.size() == what.limit) {
      found.more = true;
      break;
    }
    dead_letter one;
    one.id = unsigned_of(query.integer_at(0));
    one.receiver = text_of(query.bytes_at(1));
    one.event = text_of(query.bytes_at(2));
    one.type = text_of(query.bytes_at(3));
    one.instance = text_of(query.bytes_at(4));
    one.challenge = text_of(query.bytes_at(5));
    one.died_at = {query.integer_at(6)};
    one.attempts = static_cast<std::uint32_t>(query.integer_at(7));
    one.reason = text_of(query.bytes_at(8));
    found.items.push_back(std::move(one));
  }
  return found;
}

std::map<std::string, std::uint64_t> notify_table::replay(const replay_dead_letters& what, wall_time now) {
  // An id of 0 stands for all; a receiver's name for those of one.
  constexpr const char* chosen = " WHERE (?2 = 0 OR id = ?2) AND (?3 = '' OR receiver = ?3) AND receiver IN (SELECT name FROM receivers)";
  const auto bind = [&](statement& s) -> statement& { return s.integer(now.ms).integer(signed_of(what.id)).text(what.receiver); };
  std::map<std::string, std::uint64_t> counted;
  auto count = db_.prepare(sql({"SELECT receiver, count(*) + 0 * ?1 FROM dead", chosen, " GROUP BY receiver"}));
  bind(count);
  while (count.step()) counted[text_of(count.bytes_at(0))] = unsigned_of(count.integer_at(1));
  if (counted.empty()) return counted;
  auto revive = db_.prepare(sql({"INSERT OR IGNORE INTO pending(receiver, stored_at, ", event_columns, ", again) SELECT receiver, ?1, ", event_columns, ", 1 FROM dead", chosen,
                                 " ORDER BY id"}));
  bind(revive).run();
  auto drop = db_.prepare(sql({"DELETE FROM dead", chosen, " AND ?1 = ?1"}));
  bind(drop).run();
  return counted;
}

std::vector<std::string> notify_table::instances_of(const char* table, const std::string& receiver) {
  std::vector<std::string> found;
  auto query = db_.prepare(sql({"SELECT DISTINCT instance FROM ", table, " WHERE receiver = ?"}));
  query.text(receiver);
  while (query.step()) found.push_back(text_of(query.bytes_at(0)));
  return found;
}

std::uint64_t notify_table::share(const std::string& receiver, const tells_of& own) {
  const auto move = [&](const char* from, const char* to, const char* those, bool which) {
    auto copy = db_.prepare(sql({"INSERT OR IGNORE INTO ", to, "(receiver, stored_at, ", event_columns, ") SELECT receiver, stored_at, ", event_columns, " FROM ", from,
                                 " WHERE receiver = ? AND instance = ?", those, " ORDER BY row"}));
    auto drop = db_.prepare(sql({"DELETE FROM ", from, " WHERE receiver = ? AND instance = ?", those}));
    for (auto& instance : instances_of(from, receiver)) {
      if (own(instance) != which) continue;
      copy.text(receiver).text(instance).run();
      drop.text(receiver).text(instance).run();
    }
  };
  move("pending", "watched", " AND again = 0", false);
  move("watched", "pending", "", true);
  auto count = db_.prepare("SELECT count(*) FROM pending WHERE receiver = ?");
  count.text(receiver);
  const auto pending = count.step() ? unsigned_of(count.integer_at(0)) : 0;
  count.reset();
  return pending;
}

open_events notify_table::open(const std::string& receiver, std::size_t most) {
  open_events found;
  auto cursor = db_.prepare("SELECT incarnation, sequence FROM cursor");
  if (cursor.step()) found.up_to = {unsigned_of(cursor.integer_at(0)), unsigned_of(cursor.integer_at(1))};
  cursor.reset();
  auto query = db_.prepare("SELECT incarnation, sequence, event FROM pending WHERE receiver = ? AND again = 0 ORDER BY incarnation, sequence, row LIMIT ?");
  query.text(receiver).integer(static_cast<std::int64_t>(most) + 1);
  std::vector<std::pair<struct position, std::string>> rows;
  while (query.step()) rows.push_back({{unsigned_of(query.integer_at(0)), unsigned_of(query.integer_at(1))}, text_of(query.bytes_at(2))});
  if (rows.size() > most) { // what comes after is not told of
    const auto next = rows.back().first;
    found.up_to = next.sequence > 0 ? position{next.incarnation, next.sequence - 1} : position{};
  }
  for (auto& [at, event] : rows)
    if (at <= found.up_to) found.ids.push_back(std::move(event));
  return found;
}

void notify_table::settle(const settled_events& what) {
  const auto go_over = [&](const char* table, const char* those) {
    auto query = db_.prepare(sql({"SELECT row, event, instance FROM ", table,
                                  " WHERE receiver = ?1 AND (incarnation, sequence) > (?2, ?3) AND (incarnation, sequence) <= (?4, ?5)", those}));
    query.text(what.receiver).integer(signed_of(what.after.incarnation)).integer(signed_of(what.after.sequence));
    query.integer(signed_of(what.up_to.incarnation)).integer(signed_of(what.up_to.sequence));
    std::vector<std::int64_t> gone;
    while (query.step())
      if (!what.open.contains(text_of(query.bytes_at(1))) && what.its_own(query.bytes_at(2))) gone.push_back(query.integer_at(0));
    auto drop = db_.prepare(sql({"DELETE FROM ", table, " WHERE row = ?"}));
    for (auto row : gone) drop.integer(row).run();
  };
  go_over("watched", "");
  go_over("pending", " AND again = 0"); // of an earlier run of this process, which another one has gone on for
}

void notify_table::forget(wall_time died, wall_time watched) {
  auto letters = db_.prepare("DELETE FROM dead WHERE died_at < ?");
  letters.integer(died.ms).run();
  auto others = db_.prepare("DELETE FROM watched WHERE stored_at < ?");
  others.integer(watched.ms).run();
}

std::map<std::string, stored_counts> notify_table::counts() {
  std::map<std::string, stored_counts> counted;
  auto pending = db_.prepare("SELECT receiver, count(*) FROM pending GROUP BY receiver");
  while (pending.step()) counted[text_of(pending.bytes_at(0))].pending = unsigned_of(pending.integer_at(1));
  auto dead = db_.prepare("SELECT receiver, count(*) FROM dead GROUP BY receiver");
  while (dead.step()) counted[text_of(dead.bytes_at(0))].dead = unsigned_of(dead.integer_at(1));
  return counted;
}

} // namespace poseidon
