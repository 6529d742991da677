#include "actors/journal/journal.hpp"

#include "actors/journal/journal_table.hpp"
#include "actors/store/store_thread.hpp"

namespace poseidon {
namespace {

class sqlite_journal final : public journal_store {
public:
  sqlite_journal(std::shared_ptr<sqlite> db, const sqlite_journal_options& options, const clock& time)
      : table_(*db, options.tombstones), time_(time), at_start_(table_.facts()),
        thread_(std::move(db), {options.queue, 4096, [this] { report(); }}) {}

  void attach(const full_journal_actor& journal) override { journal_ = journal.address(); }
  std::vector<waiting_fact> facts_at_start() override { return std::move(at_start_); }

  bool write(journal_write what) override {
    auto token = what.token;
    auto shared = std::make_shared<const journal_write>(std::move(what));
    store_job job;
    job.work = [this, shared](sqlite&) { table_.write(*shared, time_.wall_now()); };
    job.finished = [this, token](const failure& why) {
      done_.results.push_back({token, why});
    };
    return thread_.post(std::move(job));
  }

  bool load(std::uint64_t token) override {
    auto read = std::make_shared<journal_contents>();
    store_job job;
    job.work = [this, read](sqlite&) { *read = table_.contents(time_.wall_now()); };
    job.finished = [this, token, read](const failure& why) {
      report();
      if (why) tell(journal_loaded{token, why});
      else tell(journal_loaded{token, std::shared_ptr<const journal_contents>(read)});
    };
    return thread_.post(std::move(job));
  }

private:
  void report() {
    if (done_.results.empty()) return;
    tell(std::move(done_));
    done_.results.clear();
  }
  template <class Message>
  void tell(Message&& m) const {
    if (auto journal = caf::actor_cast<caf::strong_actor_ptr>(journal_))
      caf::anon_send(caf::actor_cast<full_journal_actor>(journal), std::forward<Message>(m));
  }

  journal_table table_;
  const clock& time_;
  std::vector<waiting_fact> at_start_;
  caf::actor_addr journal_; ///< weak
  journal_written done_;    ///< of this batch, for one message
  store_thread thread_;     ///< last: it ends before what it uses
};

} // namespace

outcome<std::unique_ptr<journal_store>> open_sqlite_journal(const sqlite_journal_options& options, const clock& time) {
  auto db = open_store(options.path, journal_schema());
  if (!db) return db.error;
  try {
    return outcome<std::unique_ptr<journal_store>>{std::make_unique<sqlite_journal>(*db, options, time)};
  } catch (const store_error& e) {
    return e.as_failure();
  }
}

failure make_sqlite_journal(const std::string& path, const data_id& data) {
  auto db = open_store(path, journal_schema());
  if (!db) return db.error;
  try {
    (*db)->prepare("INSERT INTO meta(name, value) VALUES('data', ?)").text(to_string(data)).run();
    return {};
  } catch (const store_error& e) {
    return e.as_failure();
  }
}

} // namespace poseidon
