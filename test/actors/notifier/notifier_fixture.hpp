#pragma once
// A notifier on virtual time: a ledger that a test writes by hand, the real tables, receivers that do as they are told.

#include "actors/notifier/notifier.hpp"
#include "actors/notifier/notify_table.hpp"
#include "actors/store/sqlite.hpp"
#include "test/support/actor_fixture.hpp"
#include "test/support/counted_random.hpp"
#include "test/support/temporary_folder.hpp"

namespace poseidon::test {

/// Changes made by hand; every one is an event whose type is the row's metadata.
struct hand_ledger {
  std::vector<ledger_change> changes; ///< all of them
  std::vector<ledger_subscriber> subscribers;
  std::map<std::string, row_ptr> rows;
  struct position at{1, 1};
  struct position history_from{1, 1}; ///< the copy's snapshot
  bool silent = false;

  position put(const std::string& instance, const std::string& type = "instance.running", const std::string& challenge = "web") {
    return publish(row(instance, type, challenge, {at.incarnation, at.sequence + 1}), std::make_shared<entry>());
  }
  /// The log begins anew: everything is as it was, at another position.
  void begin_anew() {
    at = {at.incarnation + 1, at.sequence};
    auto opening = std::make_shared<entry>();
    opening->body = incarnation_entry{};
    publish(nullptr, opening);
  }
  ledger_image_ptr image() const {
    auto made = std::make_shared<ledger_image>();
    made->at = at;
    for (auto& [id, row] : rows) made->instances.push_back(row);
    return made;
  }

private:
  static row_ptr row(const std::string& instance, const std::string& type, const std::string& challenge, struct position changed) {
    auto made = std::make_shared<instance_row>();
    made->id = {instance};
    made->metadata = type;
    made->challenge = {challenge};
    made->changed = changed;
    return made;
  }
  position publish(row_ptr changed, entry_ptr cause) {
    ledger_change change;
    change.at = at = {at.incarnation, at.sequence + 1};
    change.cause = std::move(cause);
    if (changed) change.instances.push_back(rows[changed->id.value] = changed);
    changes.push_back(change);
    for (auto& sink : subscribers) caf::anon_send(sink, ledger_changes{std::make_shared<const std::vector<ledger_change>>(std::vector{change})});
    return at;
  }
};

inline ledger_actor spawn_hand_ledger(caf::actor_system& system, std::shared_ptr<hand_ledger> l) {
  return system.spawn([l](ledger_actor::pointer self) -> ledger_actor::behavior_type {
    return {
        [](const append_entry&) { return outcome<folded>{failure{errc::internal, "not here", {}, {}, {}}}; },
        [self, l](const subscribe_ledger& m) -> caf::result<ledger_image_ptr> {
          if (l->silent) return self->make_response_promise<ledger_image_ptr>();
          if (std::ranges::find(l->subscribers, m.sink) == l->subscribers.end()) l->subscribers.push_back(m.sink);
          return l->image();
        },
        [l](const get_image&) { return l->image(); },
        [](const get_instance&) { return row_ptr{}; },
        [](const find_live&) { return row_ptr{}; },
        [](const get_ledger_status&) { return ledger_status{}; },
    };
  });
}

inline history_actor spawn_hand_history(caf::actor_system& system, std::shared_ptr<hand_ledger> l) {
  return system.spawn([l](history_actor::pointer) -> history_actor::behavior_type {
    return {[l](const read_history& m) -> outcome<ledger_history_ptr> {
      if (m.after < l->history_from) return failure{errc::stale, "trimmed", {}, {}, {}};
      auto history = std::make_shared<ledger_history>();
      auto image = std::make_shared<ledger_image>();
      image->at = m.after;
      history->parts.push_back({image, {}});
      for (auto& change : l->changes)
        if (change.at > m.after && change.at <= m.up_to) history->parts.back().changes.push_back(change);
      return ledger_history_ptr{history};
    }};
  });
}

class hand_source final : public notification_source {
public:
  void load(const ledger_image& image) override { at_ = image.at; }
  std::vector<notification_ptr> apply(const std::vector<ledger_change>& changes) override {
    std::vector<notification_ptr> made;
    for (auto& change : changes) {
      if (change.at <= at_) continue;
      at_ = change.at;
      for (auto& row : change.instances) made.push_back(told(*row, change.at, row->metadata));
    }
    return made;
  }
  std::vector<notification_ptr> missed(const ledger_image& image, struct position after) override {
    std::vector<notification_ptr> made;
    for (auto& row : image.instances)
      if (row->changed > after) made.push_back(told(*row, row->changed, "missed"));
    return made;
  }

private:
  static notification_ptr told(const instance_row& row, struct position at, std::string type) {
    return std::make_shared<const notification>(
        notification{to_string(at), std::move(type), row.id.value, row.challenge.value, at, "{\"id\":\"" + to_string(at) + "\"}"});
  }
  struct position at_;
};

/// The real tables, without their thread: answers at once.
class direct_store final : public notify_store {
public:
  explicit direct_store(const std::string& path) : db_(*open_store(path, notify_schema())), table_(*db_) {}
  bool full = false;

  void open(std::vector<std::string> receivers, struct position begin, wall_time now, store_answer<notify_start> answer) override {
    work<notify_start>([&] { return table_.open(receivers, begin, now); }, answer);
  }
  void put(put_items what, store_answer<put_result> answer) override { work<put_result>([&] { return table_.put(what); }, answer); }
  void load(std::string receiver, std::uint64_t after, std::size_t most, store_answer<std::vector<stored_item>> answer) override {
    work<std::vector<stored_item>>([&] { return table_.load(receiver, after, most); }, answer);
  }
  void drop(std::uint64_t row) override { table_.drop(row); }
  void bury(buried_item what) override { table_.bury(what); }
  void list(list_dead_letters what, store_answer<dead_letters> answer) override { work<dead_letters>([&] { return table_.list(what); }, answer); }
  void replay(replay_dead_letters what, wall_time now, store_answer<std::map<std::string, std::uint64_t>> answer) override {
    work<std::map<std::string, std::uint64_t>>([&] { return table_.replay(what, now); }, answer);
  }
  void share(std::string receiver, tells_of own, store_answer<std::uint64_t> answer) override {
    work<std::uint64_t>([&] { return table_.share(receiver, own); }, answer);
  }
  void open(std::string receiver, std::size_t most, store_answer<open_events> answer) override {
    work<open_events>([&] { return table_.open(receiver, most); }, answer);
  }
  void settle(settled_events what) override { table_.settle(what); }
  void forget(wall_time died, wall_time watched, store_answer<std::map<std::string, stored_counts>> answer) override {
    work<std::map<std::string, stored_counts>>([&] { return table_.forget(died, watched), table_.counts(); }, answer);
  }

private:
  template <class T, class Work>
  void work(Work perform, const store_answer<T>& answer) {
    if (full) answer(outcome<T>{failure{errc::no_space, "the disk is full", {}, {}, {}}});
    else answer(outcome<T>{perform()});
  }
  std::shared_ptr<sqlite> db_;
  notify_table table_;
};

/// Receivers: what each was sent, and what each answers.
struct hand_receivers final : webhook_port {
  struct one {
    std::vector<delivery_attempt> got;   ///< taken
    std::size_t asked = 0;
    bool away = false, silent = false;
    int status = 200;
    std::function<int(const notification&)> judge;
    std::vector<std::string> ids() const {
      std::vector<std::string> all;
      for (auto& attempt : got) all.push_back(attempt.what->id);
      return all;
    }
    /// Of one instance.
    std::vector<std::string> ids(const std::string& instance) const {
      std::vector<std::string> all;
      for (auto& attempt : got)
        if (attempt.what->instance == instance) all.push_back(attempt.what->id);
      return all;
    }
  };
  std::map<std::string, one> all;

  void send(const std::string& receiver, const delivery_attempt& what, std::function<void(outcome<receiver_reply>)> done) override {
    auto& r = all[receiver];
    ++r.asked;
    if (r.silent) return;
    if (r.away) return done(failure{errc::engine_unavailable, "connection refused", {}, {}, {}});
    const auto status = r.judge ? r.judge(*what.what) : r.status;
    if (status < 300) r.got.push_back(what);
    done(receiver_reply{status, std::nullopt, {}});
  }
};

struct notifier_fixture : actor_test {
  temporary_folder folder;
  std::string file = "notify.sqlite";
  std::shared_ptr<hand_ledger> log = std::make_shared<hand_ledger>();
  std::shared_ptr<hand_receivers> port = std::make_shared<hand_receivers>();
  std::shared_ptr<counted_random> random = std::make_shared<counted_random>();
  std::shared_ptr<const clock> shared_time{&time, [](const clock*) {}};
  std::shared_ptr<direct_store> store;
  ledger_actor ledger = spawn_hand_ledger(system, log);
  history_actor history = spawn_hand_history(system, log);
  std::vector<receiver_rule> rules{{"ops", receiver_kind::webhook, {"*"}, {}, 8}};
  notifier_options options;
  notifier_actor notifier;
  std::map<std::string, receiver_status> status;

  void start() {
    store = std::make_shared<direct_store>(folder.file(file));
    notifier_deps deps;
    deps.ledger = ledger;
    deps.history = history;
    deps.timers = world.timers;
    deps.time = shared_time;
    deps.random = random;
    deps.store = store;
    deps.port = port;
    deps.source = std::make_shared<hand_source>();
    deps.receivers = rules;
    deps.publish = [this](std::vector<receiver_status> all) {
      for (auto& one : all) status[one.name] = one;
    };
    deps.options = options;
    notifier = spawn_notifier(system, std::move(deps));
    run();
  }
  /// The process is killed: nothing is said to anybody.
  void kill() {
    log->subscribers.clear();
    caf::anon_send_exit(notifier, caf::exit_reason::kill);
    notifier = nullptr;
    run();
    store.reset();
  }
  ~notifier_fixture() override {
    if (notifier) kill();
    caf::anon_send_exit(ledger, caf::exit_reason::kill);
    caf::anon_send_exit(history, caf::exit_reason::kill);
    run();
  }
  /// The next start is another process's: it has a store of its own.
  void folder_of_other() { file = "other.sqlite"; }
  hand_receivers::one& ops() { return port->all["ops"]; }
  std::vector<std::string> put_many(std::size_t count, std::size_t instances) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(to_string(log->put("i" + std::to_string(i % instances))));
    run();
    return ids;
  }
};

} // namespace poseidon::test
