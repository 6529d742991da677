#include "bench/simulated_users.hpp"

#include "bench/bench.hpp"

#include <latch>
#include <stdexcept>
#include <thread>

namespace poseidon::bench {
namespace {

/// Keeps `together` lifecycles under way until `count` have ended (`stops`), or until `count` run.
struct users {
  scheduler_actor scheduler;
  std::size_t count, together;
  bool stops;
  std::latch& finished;
  std::size_t begun = 0, over = 0;

  void start(ledger_subscriber::pointer self) {
    if (begun == count) return;
    start_instance wish;
    wish.request = {"r" + std::to_string(begun)};
    wish.owner.user = "player-" + std::to_string(begun++);
    wish.challenge = {"hello"};
    wish.actor = "key:platform";
    self->request(scheduler, std::chrono::seconds(60), std::move(wish)).then([self](const outcome<started>& answer) {
      if (!answer) self->quit(caf::exit_reason::user_shutdown);
    });
  }
  void see(ledger_subscriber::pointer self, const instance_row& row) {
    if (stops && row.phase == ledger_phase::running && !row.stop_mark)
      self->request(scheduler, std::chrono::seconds(60), stop_instance{row.id, end_reason::stopped, "key:platform"}).then([](const outcome<row_ptr>&) {});
    if (row.phase != (stops ? ledger_phase::ended : ledger_phase::running)) return;
    if (++over == count) finished.count_down();
    start(self);
  }
};

ledger_subscriber::behavior_type users_behavior(ledger_subscriber::pointer self, std::shared_ptr<users> all, ledger_actor ledger) {
  self->request(ledger, std::chrono::seconds(10), subscribe_ledger{self}).then([self, all](const ledger_image_ptr&) {
    for (std::size_t i = 0; i < all->together; ++i) all->start(self);
  });
  return {[self, all](const ledger_changes& changes) {
    for (auto& change : *changes)
      for (auto& row : change.instances) all->see(self, *row);
  }};
}

} // namespace

void wait_until(const std::function<bool()>& holds, const char* what, double seconds) {
  const auto end = now_seconds() + seconds;
  while (!holds()) {
    if (now_seconds() > end) throw std::runtime_error(std::string("not in time: ") + what);
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

simulated_world::simulated_world(std::size_t how_many) : nodes(how_many) {
  begin();
  limit_table unlimited;
  unlimited.per_owner = 0;
  wait_until([this] { return node->registered(); }, "the nodes register");
  node->append(put_limits_entry{unlimited});
  node->append(small_challenge());
}

void simulated_world::begin() { node.emplace(folder.path().string(), loop, engine, ++runs, nodes); }

void run_users(simulated_world& w, std::size_t count, std::size_t together, bool stops, double seconds) {
  std::latch finished{1};
  auto all = std::make_shared<users>(users{w.node->scheduler, count, together, stops, finished});
  auto driver = w.node->system().spawn(users_behavior, all, w.node->ledger);
  const auto end = now_seconds() + seconds;
  while (!finished.try_wait()) {
    if (now_seconds() > end) throw std::runtime_error("only " + std::to_string(all->over) + " of " + std::to_string(count) + " came to their end");
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  caf::anon_send_exit(driver, caf::exit_reason::user_shutdown);
}

} // namespace poseidon::bench
