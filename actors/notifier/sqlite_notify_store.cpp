#include "actors/notifier/notify_table.hpp"
#include "actors/store/store_thread.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

failure busy() { return {errc::ledger_unavailable, "too much waits for the disk", 500, {}, {}}; }

class sqlite_notify_store final : public notify_store {
public:
  explicit sqlite_notify_store(std::shared_ptr<sqlite> db) : table_(*db), thread_(std::move(db), {}) {}

  void open(std::vector<std::string> receivers, struct position begin, wall_time now, store_answer<notify_start> answer) override {
    work<notify_start>([=, this] { return table_.open(receivers, begin, now); }, std::move(answer));
  }
  void put(put_items what, store_answer<put_result> answer) override {
    auto shared = std::make_shared<const put_items>(std::move(what));
    work<put_result>([this, shared] { return table_.put(*shared); }, std::move(answer));
  }
  void load(std::string receiver, std::uint64_t after, std::size_t most, store_answer<std::vector<stored_item>> answer) override {
    work<std::vector<stored_item>>([=, this] { return table_.load(receiver, after, most); }, std::move(answer));
  }
  void drop(std::uint64_t row) override {
    work<bool>([this, row] { return table_.drop(row), true; }, tell_failure("that an event was delivered"));
  }
  void bury(buried_item what) override {
    work<bool>([this, what] { return table_.bury(what), true; }, tell_failure("a dead letter"));
  }
  void list(list_dead_letters what, store_answer<dead_letters> answer) override {
    work<dead_letters>([this, what] { return table_.list(what); }, std::move(answer));
  }
  void replay(replay_dead_letters what, wall_time now, store_answer<std::map<std::string, std::uint64_t>> answer) override {
    work<std::map<std::string, std::uint64_t>>([this, what, now] { return table_.replay(what, now); }, std::move(answer));
  }
  void share(std::string receiver, tells_of own, store_answer<std::uint64_t> answer) override {
    work<std::uint64_t>([=, this] { return table_.share(receiver, own); }, std::move(answer));
  }
  void open(std::string receiver, std::size_t most, store_answer<open_events> answer) override {
    work<open_events>([=, this] { return table_.open(receiver, most); }, std::move(answer));
  }
  void settle(settled_events what) override {
    auto shared = std::make_shared<const settled_events>(std::move(what));
    work<bool>([this, shared] { return table_.settle(*shared), true; }, tell_failure("what another notifier delivered"));
  }
  void forget(wall_time died, wall_time watched, store_answer<std::map<std::string, stored_counts>> answer) override {
    work<std::map<std::string, stored_counts>>([=, this] { return table_.forget(died, watched), table_.counts(); }, std::move(answer));
  }

private:
  static store_answer<bool> tell_failure(std::string what) {
    return [what = std::move(what)](const outcome<bool>& done) {
      if (!done) spdlog::error("notifier: {} could not be stored: {}", what, done.error.detail);
    };
  }

  template <class T>
  void work(std::function<T()> perform, store_answer<T> answer) {
    auto result = std::make_shared<std::optional<T>>();
    auto told = std::make_shared<store_answer<T>>(std::move(answer));
    store_job job;
    job.work = [result, perform = std::move(perform)](sqlite&) { *result = perform(); };
    job.finished = [result, told](const failure& why) { (*told)(why ? outcome<T>{why} : outcome<T>{std::move(**result)}); };
    if (!thread_.post(std::move(job))) (*told)(outcome<T>{busy()});
  }

  notify_table table_;
  store_thread thread_; ///< last: it ends before what it uses
};

} // namespace

outcome<std::shared_ptr<notify_store>> open_sqlite_notify_store(const std::string& path) {
  auto db = open_store(path, notify_schema());
  if (!db) return db.error;
  try {
    return outcome<std::shared_ptr<notify_store>>{std::make_shared<sqlite_notify_store>(*db)};
  } catch (const store_error& e) {
    return e.as_failure();
  }
}

} // namespace poseidon
