#include "actors/store/store_thread.hpp"

#include <pthread.h>

#include <algorithm>

namespace poseidon {
namespace {

constexpr std::size_t many_jobs = 4;     // in one transaction: more than one client's doing
constexpr std::size_t very_many_jobs = 16; // a commit costs more than the wait
constexpr int longer = 4;                // times the usual wait

} // namespace

store_thread::store_thread(std::shared_ptr<sqlite> db, options o)
    : db_(std::move(db)), options_(std::move(o)), begin_(db_->prepare("BEGIN IMMEDIATE")), commit_(db_->prepare("COMMIT")),
      thread_([this] { run(); }) {
  ::pthread_setname_np(thread_.native_handle(), "store");
}

store_thread::~store_thread() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool store_thread::post(store_job job) {
  {
    std::lock_guard lock(mutex_);
    if (ending_ || (weight_ > 0 && weight_ + job.weight > options_.bound)) return false;
    weight_ += job.weight;
    waiting_.push_back(std::move(job));
    if (waiting_.size() > 1) return true; // it was woken for the first
  }
  wake_.notify_one();
  return true;
}

void store_thread::run() {
  for (;;) {
    auto jobs = take_waiting();
    if (jobs.empty()) return;
    perform(jobs);
    if (options_.after_batch) options_.after_batch();
  }
}

std::vector<store_job> store_thread::take_waiting() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
  // Whoever posts wakes this thread for the first job only: it sleeps through.
  if (last_jobs_ >= many_jobs) wake_.wait_for(lock, last_jobs_ >= very_many_jobs ? longer * options_.gather : options_.gather, [this] { return ending_; });
  std::vector<store_job> jobs;
  for (std::size_t taken = 0; !waiting_.empty() && taken < options_.most_at_once;) {
    taken += waiting_.front().weight;
    jobs.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    weight_ -= jobs.back().weight;
  }
  last_jobs_ = jobs.size();
  return jobs;
}

void store_thread::perform(std::vector<store_job>& jobs) {
  std::vector<store_job*> all;
  for (auto& job : jobs) all.push_back(&job);
  failure why;
  try {
    transact(all);
  } catch (const store_error& e) {
    why = e.as_failure();
  }
  if (!why)
    for (auto& job : jobs) job.finished({});
  else if (jobs.size() == 1)
    jobs.front().finished(why);
  else
    for (auto& job : jobs) { // one bad job doesn't spoil the others
      std::vector<store_job> alone;
      alone.push_back(std::move(job));
      perform(alone);
    }
}

void store_thread::transact(std::vector<store_job*> jobs) {
  set_durable(std::any_of(jobs.begin(), jobs.end(), [](auto* job) { return job->durable; }));
  begin_.run();
  try {
    for (auto* job : jobs) job->work(*db_);
    commit_.run();
  } catch (const store_error&) {
    try {
      db_->execute("ROLLBACK");
    } catch (const store_error&) { // SQLite has rolled back by itself
    }
    throw;
  }
}

void store_thread::set_durable(bool durable) {
  if (durable == durable_) return;
  db_->execute(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  durable_ = durable;
}

} // namespace poseidon
