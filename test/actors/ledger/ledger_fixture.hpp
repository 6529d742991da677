#pragma once
// A ledger actor over a log and a tail in memory, in virtual time; both outlive it, as disks outlive a process.

#include "actors/fold/snapshot.hpp"
#include "actors/ledger/ledger.hpp"
#include "actors/log/memory_log.hpp"
#include "test/support/actor_fixture.hpp"

namespace poseidon::test {

/// Ids in a fixed order.
class counted_random : public random_source {
public:
  void fill(std::span<std::uint8_t> bytes) override {
    for (auto& b : bytes) b = static_cast<std::uint8_t>((state_ = state_ * 6364136223846793005u + 1442695040888963407u) >> 56);
  }

private:
  std::uint64_t state_ = 42;
};

/// What a subscriber was told.
struct told {
  ledger_image_ptr image;
  std::vector<ledger_change> changes;
};

class ledger_test : public actor_test {
protected:
  ledger_test() { boot(); }
  ~ledger_test() override { kill(); }

  /// A process starts: ledger, log front and tail over what is on the disks.
  void boot() {
    log = spawn_memory_log(system, {log_store, faults, &time});
    tail = spawn_memory_tail(system, tail_store);
    stops.clear();
    ledger_deps deps{log_actor{log}, tail, world.timers, &time, &random, options, [this](const failure& why) { stops.push_back(why); }, others};
    deps.options.appender = "test";
    deps.options.run = run_id{1, ++runs};
    ledger = spawn_ledger(system, deps);
    run();
  }
  /// It dies: nothing that was under way goes on.
  void kill() {
    for (auto& watcher : watchers) caf::anon_send_exit(watcher, caf::exit_reason::kill);
    watchers.clear();
    caf::anon_send_exit(ledger, caf::exit_reason::kill);
    caf::anon_send_exit(log, caf::exit_reason::kill);
    caf::anon_send_exit(tail, caf::exit_reason::kill);
    ledger = nullptr;
    log = nullptr;
    tail = nullptr;
    run();
  }
  void restart() {
    kill();
    boot();
  }
  void reconnect() {
    caf::anon_send(log, log_connection{true});
    run();
  }

  outcome<folded> append(entry_body body) {
    auto answer = world.answer_now<outcome<folded>>(ledger, append_entry{std::move(body)});
    if (!answer) return failure{errc::request_timeout, "no answer yet", {}, {}, {}};
    return *answer;
  }
  auto append_later(entry_body body) { return world.ask_later<outcome<folded>>(ledger, append_entry{std::move(body)}); }
  /// An entry that shows in the state.
  outcome<folded> set(const std::string& name, const std::string& value) { return append(put_setting_entry{name, value}); }
  std::string setting(const std::string& name) {
    auto image = world.answer_now<ledger_image_ptr>(ledger, get_image{});
    if (!image) return "(no image)";
    const auto found = (*image)->admin.settings.find(name);
    return found == (*image)->admin.settings.end() ? "" : found->second;
  }
  ledger_status status() { return world.answer_now<ledger_status>(ledger, get_ledger_status{true}).value(); }

  /// Subscribes; what it is told is collected.
  std::shared_ptr<told> subscribe() {
    auto heard = std::make_shared<told>();
    auto watcher = system.spawn([heard](ledger_subscriber::pointer self) -> ledger_subscriber::behavior_type {
      (void)self;
      return {[heard](const ledger_changes& all) { heard->changes.insert(heard->changes.end(), all->begin(), all->end()); }};
    });
    watchers.push_back(caf::actor_cast<caf::actor>(watcher));
    auto image = world.answer_now<ledger_image_ptr>(ledger, subscribe_ledger{watcher});
    if (image) heard->image = *image;
    return heard;
  }

  std::shared_ptr<memory_log_store> log_store = std::make_shared<memory_log_store>();
  std::shared_ptr<memory_log_faults> faults = std::make_shared<memory_log_faults>();
  std::shared_ptr<memory_tail_store> tail_store = std::make_shared<memory_tail_store>();
  counted_random random;
  ledger_options options;
  other_members others;
  std::vector<failure> stops; ///< of the present process
  std::uint64_t runs = 0;
  memory_log_actor log;
  tail_actor tail;
  full_ledger_actor ledger;
  std::vector<caf::actor> watchers;
};

} // namespace poseidon::test
