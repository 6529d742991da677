#include "actors/log/sqlite_log.hpp"

#include "actors/kit/handlers.hpp"
#include "actors/log/log_table.hpp"
#include "actors/store/store_thread.hpp"

#include <unordered_map>

namespace poseidon {
namespace {

constexpr std::size_t read_bytes = 4u << 20;      // of one batch that is read from the disk
constexpr std::chrono::seconds read_again{1};    // after a failed read
constexpr std::size_t trim_entries = 5'000;       // of one transaction that drops old entries

failure unavailable(const char* why) { return {errc::ledger_unavailable, why, {}, {}, {}}; }

/// The store's side: all of it runs on the store's thread, but for post().
class log_store {
public:
  log_store(std::shared_ptr<sqlite> db, const sqlite_log_options& options, const clock& time)
      : table_(*db), time_(time), extent_(table_.extent()),
        thread_(std::move(db), {options.queue, 4096, [this] { report(); }}) {}

  const log_extent& extent_at_start() const { return extent_; }
  /// Called once, before the first post.
  void attach(const sqlite_log_actor& front) { front_ = front.address(); }

  bool append(const append_to_log& m);
  bool read(log_was_read what, std::size_t most);
  bool trim(std::uint64_t token, std::uint64_t before);

private:
  void tell_failed(const append_to_log& m, const failure& why) const {
    for (auto& what : m.entries) caf::anon_send(m.from, log_append_failed{what->id, why});
  }
  void report();
  template <class Message>
  void tell(Message&& m) const {
    if (auto front = caf::actor_cast<caf::strong_actor_ptr>(front_))
      caf::anon_send(caf::actor_cast<sqlite_log_actor>(front), std::forward<Message>(m));
  }

  log_table table_;
  const clock& time_;
  log_extent extent_;
  caf::actor_addr front_; ///< weak
  std::vector<logged_entry> committed_; ///< of this batch, for one message
  store_thread thread_;                 ///< last: it ends before what it uses
};

bool log_store::append(const append_to_log& m) {
  auto placed = std::make_shared<std::vector<logged_entry>>();
  store_job job;
  job.weight = m.entries.size();
  for (auto& what : m.entries) job.durable = job.durable || is_durable(what->body);
  job.work = [this, m, placed](sqlite&) {
    placed->clear();
    for (auto& what : m.entries) {
      auto now = time_.wall_now();
      placed->push_back({table_.append(what, now), now, what, nullptr});
    }
  };
  job.finished = [this, m, placed](const failure& why) {
    if (why) return tell_failed(m, unavailable(("the log can't be written: " + why.detail).c_str()));
    committed_.insert(committed_.end(), placed->begin(), placed->end());
  };
  return thread_.post(std::move(job));
}

void log_store::report() {
  if (committed_.empty()) return;
  tell(log_stored{std::make_shared<const std::vector<logged_entry>>(std::move(committed_))});
  committed_.clear();
}

bool log_store::read(log_was_read what, std::size_t most) {
  auto read = std::make_shared<std::vector<logged_entry>>();
  store_job job;
  job.work = [this, read, after = what.after, most](sqlite&) { *read = table_.read_after(after, most, read_bytes); };
  job.finished = [this, read, what](const failure& why) {
    auto answer = what;
    answer.entries = read;
    if (why) answer.error = unavailable("the log can't be read");
    report(); // whatever was committed before comes first
    tell(std::move(answer));
  };
  return thread_.post(std::move(job));
}

bool log_store::trim(std::uint64_t token, std::uint64_t before) {
  auto answer = std::make_shared<log_trimmed>();
  answer->token = token;
  store_job job;
  job.work = [this, answer, before](sqlite&) {
    answer->more = table_.trim(before, trim_entries);
    answer->first = table_.extent().first;
  };
  job.finished = [this, answer](const failure& why) {
    if (why) answer->error = unavailable("the log can't be written"), answer->more = false;
    tell(log_trimmed{*answer});
  };
  return thread_.post(std::move(job));
}

struct sqlite_log_state {
  static constexpr const char* name = "sqlite_log";
  sqlite_log_actor::pointer self = nullptr;
  std::unique_ptr<log_store> store;
  log_extent extent;
  log_followers followers;
  std::unique_ptr<recent_entries> recent;
  std::uint64_t next_token = 1;
  std::unordered_map<std::uint64_t, caf::typed_response_promise<outcome<logged_entry>>> reads;
  struct trimming {
    std::uint64_t before = 0;
    caf::typed_response_promise<outcome<done>> answer;
  };
  std::unordered_map<std::uint64_t, trimming> trims;

  void append(const append_to_log& m);
  caf::result<outcome<log_extent>> follow(const follow_log& m);
  void consumed(const log_consumed& m);
  caf::result<outcome<logged_entry>> read(const read_log& m);
  caf::result<outcome<done>> trim(const trim_log& m);
  void stored(const log_stored& m);
  void was_read(const log_was_read& m);
  void trimmed(const log_trimmed& m);
  void deliver_to(log_follower& follower);
  void answer_read(const log_was_read& m);
};

void sqlite_log_state::append(const append_to_log& m) {
  if (store->append(m)) return;
  for (auto& what : m.entries) self->send(m.from, log_append_failed{what->id, unavailable("too many entries wait for the disk")});
}

void sqlite_log_state::stored(const log_stored& m) {
  for (auto& entry : *m.entries) recent->push(entry);
  extent.last = m.entries->back().sequence;
  for (auto& follower : followers.all()) deliver_to(follower);
}

caf::result<outcome<log_extent>> sqlite_log_state::follow(const follow_log& m) {
  auto answer = self->make_response_promise<outcome<log_extent>>();
  if (auto refusal = refuse_follow(extent, m.after)) return answer.deliver(outcome<log_extent>{*refusal}), answer;
  if (!followers.find(m.sink.address())) self->monitor(m.sink);
  answer.deliver(outcome<log_extent>{extent}); // before the first batch
  deliver_to(followers.follow(m.sink, m.after));
  return answer;
}

void sqlite_log_state::consumed(const log_consumed& m) {
  followers.consumed(m.sink, m.sequence);
  if (auto* follower = followers.find(m.sink.address())) deliver_to(*follower);
}

void sqlite_log_state::deliver_to(log_follower& follower) {
  if (lost_place(follower, extent)) {
    follower.halted = true;
    return self->send(follower.sink, log_connection{true});
  }
  while (auto count = sendable(follower, extent.last)) {
    if (!recent->holds(follower.sent + 1)) {
      log_was_read wanted;
      wanted.follower = follower.sink.address();
      wanted.after = follower.sent;
      follower.reading = store->read(std::move(wanted), count); // when full: with the next log_stored
      return;
    }
    auto batch = std::make_shared<const std::vector<logged_entry>>(recent->copy(follower.sent + 1, count));
    follower.sent += batch->size();
    self->send(follower.sink, log_batch{std::move(batch), extent.last});
  }
}

void sqlite_log_state::was_read(const log_was_read& m) {
  if (m.token != 0) return answer_read(m);
  auto* follower = followers.find(m.follower);
  if (!follower || !follower->reading || follower->sent != m.after) return; // it has followed anew since
  follower->reading = false;
  if (m.error || m.entries->empty()) { // the disk fails: the follower may follow anew in a while
    follower->halted = true;
    self->send(follower->sink, log_connection{false});
    return self->delayed_send(follower->sink, read_again, log_connection{true});
  }
  follower->sent = m.entries->back().sequence;
  self->send(follower->sink, log_batch{m.entries, extent.last});
  deliver_to(*follower);
}

caf::result<outcome<logged_entry>> sqlite_log_state::read(const read_log& m) {
  auto answer = self->make_response_promise<outcome<logged_entry>>();
  if (recent->holds(m.sequence)) return answer.deliver(outcome<logged_entry>{recent->copy(m.sequence, 1).front()}), answer;
  if (m.sequence < extent.first || m.sequence > extent.last) {
    failure none{errc::not_found, "the log has no entry " + std::to_string(m.sequence), {}, {}, {}};
    return answer.deliver(outcome<logged_entry>{std::move(none)}), answer;
  }
  log_was_read wanted;
  wanted.token = next_token++;
  wanted.after = m.sequence - 1;
  auto token = wanted.token;
  if (!store->read(std::move(wanted), 1)) answer.deliver(outcome<logged_entry>{unavailable("too much waits for the disk")});
  else reads.emplace(token, answer);
  return answer;
}

void sqlite_log_state::answer_read(const log_was_read& m) {
  auto waiting = reads.extract(m.token);
  if (waiting.empty()) return;
  outcome<logged_entry> answer{failure{errc::not_found, "the log has no such entry", {}, {}, {}}};
  if (m.error) answer = m.error;
  else if (!m.entries->empty()) answer = m.entries->front();
  waiting.mapped().deliver(std::move(answer));
}

caf::result<outcome<done>> sqlite_log_state::trim(const trim_log& m) {
  auto answer = self->make_response_promise<outcome<done>>();
  auto token = next_token++;
  if (!store->trim(token, m.before)) answer.deliver(outcome<done>{unavailable("too much waits for the disk")});
  else trims.emplace(token, trimming{m.before, answer});
  return answer;
}

void sqlite_log_state::trimmed(const log_trimmed& m) {
  auto found = trims.find(m.token);
  if (found == trims.end()) return;
  if (!m.error) extent.first = m.first;
  if (m.more && store->trim(m.token, found->second.before)) return;
  auto answer = m.error ? outcome<done>{m.error} : m.more ? outcome<done>{unavailable("too much waits for the disk")} : outcome<done>{done{}};
  found->second.answer.deliver(std::move(answer));
  trims.erase(found);
}

sqlite_log_actor::behavior_type sqlite_log_behavior(sqlite_log_actor::stateful_pointer<sqlite_log_state> self,
                                                    std::shared_ptr<std::unique_ptr<log_store>> store, std::size_t recent) {
  auto& s = self->state;
  s.self = self;
  s.store = std::move(*store);
  s.store->attach(self);
  s.extent = s.store->extent_at_start();
  s.recent = std::make_unique<recent_entries>(recent);
  install_handlers(self, sqlite_log_state::name);
  self->set_down_handler([self](const caf::down_msg& m) { self->state.followers.drop(m.source); });
  return {
      [self](const append_to_log& m) { self->state.append(m); },
      [self](const follow_log& m) { return self->state.follow(m); },
      [self](const log_consumed& m) { self->state.consumed(m); },
      [self](const read_log& m) { return self->state.read(m); },
      [self](const get_log_extent&) { return outcome<log_extent>{self->state.extent}; },
      [self](const trim_log& m) { return self->state.trim(m); },
      [self](const log_stored& m) { self->state.stored(m); },
      [self](const log_was_read& m) { self->state.was_read(m); },
      [self](const log_trimmed& m) { self->state.trimmed(m); },
  };
}

} // namespace

bool is_durable(const entry_body& body) {
  return std::visit(
      []<class T>(const T&) {
        return std::is_same_v<T, put_key_entry> || std::is_same_v<T, drop_key_entry> || std::is_same_v<T, put_setting_entry> ||
               std::is_same_v<T, put_limits_entry> || std::is_same_v<T, put_challenge_entry> || std::is_same_v<T, drop_challenge_entry> ||
               std::is_same_v<T, enable_challenge_entry> || std::is_same_v<T, set_node_mode_entry> || std::is_same_v<T, set_pause_entry> ||
               std::is_same_v<T, incarnation_entry> || std::is_same_v<T, activate_entry>;
      },
      body);
}

outcome<log_actor> spawn_sqlite_log(caf::actor_system& system, const sqlite_log_options& options, const clock& time) {
  auto db = open_store(options.path, log_schema());
  if (!db) return db.error;
  try {
    auto store = std::make_shared<std::unique_ptr<log_store>>(std::make_unique<log_store>(*db, options, time));
    return log_actor{system.spawn(sqlite_log_behavior, std::move(store), options.recent)};
  } catch (const store_error& e) {
    return e.as_failure();
  }
}

} // namespace poseidon
