#include "actors/journal/memory_journal.hpp"

#include <algorithm>

namespace poseidon {
namespace {

class memory_journal final : public journal_store {
public:
  memory_journal(std::shared_ptr<memory_journal_disk> disk, tombstone_rule tombstones) : disk_(std::move(disk)), rule_(tombstones) {}

  void attach(const full_journal_actor& journal) override { journal_ = journal.address(); }

  std::vector<waiting_fact> facts_at_start() override {
    std::vector<waiting_fact> facts;
    for (auto& [number, fact] : disk_->facts) facts.push_back(fact);
    return facts;
  }

  bool write(journal_write what) override {
    if (waiting_.empty()) tell(journal_sync{}); // the commit happens in a step of its own: a crash may come before it
    waiting_.push_back(std::move(what));
    return true;
  }

  void sync() override {
    if (disk_->hold || waiting_.empty()) return;
    journal_written done;
    for (auto& what : std::exchange(waiting_, {})) {
      failure why;
      if (disk_->full) why = failure{errc::no_space, "the journal's disk is full", {}, {}, {}};
      else commit(what);
      done.results.push_back({what.token, std::move(why)});
    }
    tell(std::move(done));
  }

  bool load(std::uint64_t token) override {
    sync(); // in order
    auto contents = std::make_shared<journal_contents>();
    contents->data = disk_->data;
    for (auto& [key, record] : disk_->records)
      if (!disk_->unreadable.contains(key)) contents->records.push_back(record);
    contents->tombstones = disk_->tombstones;
    contents->waiting_facts = disk_->facts.size();
    for (auto& [key, problem] : disk_->unreadable) contents->problems.push_back(problem);
    tell(journal_loaded{token, std::shared_ptr<const journal_contents>(std::move(contents))});
    return true;
  }

private:
  template <class Message>
  void tell(Message&& m) const {
    if (auto journal = caf::actor_cast<caf::strong_actor_ptr>(journal_))
      caf::anon_send(caf::actor_cast<full_journal_actor>(journal), std::forward<Message>(m));
  }

  void commit(const journal_write& what) {
    for (auto& key : what.forgotten) forget(key);
    if (what.record) disk_->records[{what.record->instance, what.record->epoch}] = what.record;
    for (auto& fact : what.facts) disk_->facts.emplace(fact.number, fact);
    for (auto number : what.folded) disk_->facts.erase(number);
  }

  void forget(const group_key& key) {
    auto record = disk_->records.extract(key);
    if (record.empty()) return;
    disk_->tombstones.push_back(tombstone_of(*record.mapped()));
    if (disk_->tombstones.size() > rule_.most) disk_->tombstones.erase(disk_->tombstones.begin());
  }

  std::shared_ptr<memory_journal_disk> disk_;
  tombstone_rule rule_;
  caf::actor_addr journal_; ///< weak
  std::vector<journal_write> waiting_;
};

} // namespace

std::unique_ptr<journal_store> open_memory_journal(std::shared_ptr<memory_journal_disk> disk, tombstone_rule tombstones) {
  return std::make_unique<memory_journal>(std::move(disk), tombstones);
}

} // namespace poseidon
