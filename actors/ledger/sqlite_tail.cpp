#include "actors/kit/handlers.hpp"
#include "actors/ledger/tail_table.hpp"
#include "actors/store/store_thread.hpp"

#include <unordered_map>

namespace poseidon {
namespace {

/// From the store's thread: a piece of work is done.
struct tail_stored {
  using poseidon_message = void;
  std::uint64_t token = 0;
  failure why;
  tail_contents_ptr contents; ///< of a load
};
using sqlite_tail_actor = tail_actor::extend<reacts_to<tail_stored>>;

/// The table and the thread that owns it.
struct tail_store {
  explicit tail_store(std::shared_ptr<sqlite> db) : table(*db), thread(std::move(db), {}) {}
  tail_table table;
  store_thread thread; ///< last: it ends before what it uses
};

struct sqlite_tail_state {
  static constexpr const char* name = "sqlite_tail";
  sqlite_tail_actor::pointer self = nullptr;
  std::unique_ptr<tail_store> store;
  std::uint64_t next_token = 1;
  std::unordered_map<std::uint64_t, caf::typed_response_promise<outcome<done>>> writes;
  std::unordered_map<std::uint64_t, caf::typed_response_promise<outcome<tail_contents_ptr>>> loads;

  bool post(std::uint64_t token, std::function<void()> work, std::shared_ptr<tail_contents_ptr> loaded = {}, bool durable = false);
  caf::result<outcome<done>> write(std::function<void()> work, bool durable);
  caf::result<outcome<tail_contents_ptr>> load();
  void stored(const tail_stored& m);
};

failure busy() { return {errc::ledger_unavailable, "too much waits for the disk", 500, {}, {}}; }

bool sqlite_tail_state::post(std::uint64_t token, std::function<void()> work, std::shared_ptr<tail_contents_ptr> loaded, bool durable) {
  store_job job;
  job.durable = durable;
  job.work = [work = std::move(work)](sqlite&) { work(); };
  job.finished = [front = self->address(), token, loaded](const failure& why) {
    if (auto alive = caf::actor_cast<caf::strong_actor_ptr>(front))
      caf::anon_send(caf::actor_cast<sqlite_tail_actor>(alive), tail_stored{token, why, loaded ? *loaded : nullptr});
  };
  return store->thread.post(std::move(job));
}

caf::result<outcome<done>> sqlite_tail_state::write(std::function<void()> work, bool durable) {
  auto answer = self->make_response_promise<outcome<done>>();
  const auto token = next_token++;
  if (!post(token, std::move(work), {}, durable)) answer.deliver(outcome<done>{busy()});
  else writes.emplace(token, answer);
  return answer;
}

caf::result<outcome<tail_contents_ptr>> sqlite_tail_state::load() {
  auto answer = self->make_response_promise<outcome<tail_contents_ptr>>();
  const auto token = next_token++;
  auto loaded = std::make_shared<tail_contents_ptr>();
  if (post(token, [t = store.get(), loaded] { *loaded = std::make_shared<const tail_contents>(t->table.load()); }, loaded))
    loads.emplace(token, answer);
  else answer.deliver(outcome<tail_contents_ptr>{busy()});
  return answer;
}

void sqlite_tail_state::stored(const tail_stored& m) {
  if (auto load = loads.extract(m.token)) load.mapped().deliver(m.why ? outcome<tail_contents_ptr>{m.why} : outcome<tail_contents_ptr>{m.contents});
  else if (auto write = writes.extract(m.token)) write.mapped().deliver(m.why ? outcome<done>{m.why} : outcome<done>{done{}});
}

sqlite_tail_actor::behavior_type sqlite_tail_behavior(sqlite_tail_actor::stateful_pointer<sqlite_tail_state> self,
                                                      std::shared_ptr<std::unique_ptr<tail_store>> store) {
  auto& s = self->state;
  s.self = self;
  s.store = std::move(*store);
  install_handlers(self, sqlite_tail_state::name);
  return {
      [self](const load_tail&) { return self->state.load(); },
      [self](const append_tail& m) {
        auto* t = self->state.store.get();
        return self->state.write([t, m] { t->table.append(*m.entries); }, false);
      },
      [self](const save_tail_snapshot& m) {
        auto* t = self->state.store.get();
        return self->state.write([t, m] { t->table.save(*m.snapshot); }, true);
      },
      [self](const tail_stored& m) { self->state.stored(m); },
  };
}

} // namespace

outcome<tail_actor> spawn_sqlite_tail(caf::actor_system& system, const std::string& path) {
  auto db = open_store(path, tail_schema());
  if (!db) return db.error;
  try {
    auto store = std::make_shared<std::unique_ptr<tail_store>>(std::make_unique<tail_store>(*db));
    return tail_actor{system.spawn(sqlite_tail_behavior, std::move(store))};
  } catch (const store_error& e) {
    return e.as_failure();
  }
}

failure make_sqlite_tail(const std::string& path, const tail_snapshot& snapshot) {
  auto db = open_store(path, tail_schema());
  if (!db) return db.error;
  try {
    tail_table{**db}.save(snapshot);
    return {};
  } catch (const store_error& e) {
    return e.as_failure();
  }
}

} // namespace poseidon
