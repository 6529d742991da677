// Whole lifecycles (start, running, stop, gone) through scheduler, ledger, supervisor, instance, journal and runtime, with the
// files of log, tail and journal and a simulated engine; and how fast a process takes over what runs.

#include "bench/bench.hpp"
#include "bench/simulated_node.hpp"
#include "test/support/temporary_folder.hpp"

#include <latch>
#include <thread>

namespace poseidon::bench {
namespace {

void wait_until(const std::function<bool()>& holds, const char* what, double seconds = 60) {
  const auto end = now_seconds() + seconds;
  while (!holds()) {
    if (now_seconds() > end) throw std::runtime_error(std::string("not in time: ") + what);
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

struct world {
  test::temporary_folder folder;
  std::shared_ptr<engine_loop> loop = std::make_shared<engine_loop>();
  std::shared_ptr<simulated_engine> engine = quick_engine(loop);
  std::uint64_t runs = 0;
  std::optional<simulated_node> node;

  world() {
    begin();
    limit_table unlimited;
    unlimited.per_owner = 0;
    wait_until([this] { return node->registered(); }, "the node registers");
    node->append(put_limits_entry{unlimited});
    node->append(small_challenge());
  }
  void begin() { node.emplace(folder.path().string(), loop, engine, ++runs); }
};

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

void run_users(world& w, std::size_t count, std::size_t together, bool stops) {
  std::latch finished{1};
  auto all = std::make_shared<users>(users{w.node->scheduler, count, together, stops, finished});
  auto driver = w.node->system().spawn(users_behavior, all, w.node->ledger);
  const auto end = now_seconds() + 120;
  while (!finished.try_wait()) {
    if (now_seconds() > end) throw std::runtime_error("only " + std::to_string(all->over) + " of " + std::to_string(count) + " came to their end");
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  caf::anon_send_exit(driver, caf::exit_reason::user_shutdown);
}

std::vector<row> lifecycles() {
  constexpr std::size_t warm_up = 500, count = 10'000, together = 128;
  world w;
  run_users(w, warm_up, together, true);
  const auto cpu = process_cpu_seconds(), wall = now_seconds();
  run_users(w, count, together, true);
  const auto cpu_seconds = process_cpu_seconds() - cpu, wall_seconds = now_seconds() - wall;
  return {{"lifecycles: log and journal included, one core", count / cpu_seconds, "1/s", {}, 10'000.0, false},
          {"lifecycles: as above, by the clock", count / wall_seconds, "1/s"}};
}

std::vector<row> adoption() {
  constexpr std::size_t count = 1'000;
  world w;
  run_users(w, count, 64, false);
  w.node.reset();
  const auto from = now_seconds();
  w.begin();
  wait_until([&] { return w.node->routes() == count && w.node->registered(); }, "every instance is adopted");
  const auto took = now_seconds() - from;
  if (w.engine->running() != count) throw std::runtime_error("containers were lost on the way");
  return {{"adoption: 1,000 instances at the process's start", took, "s", {}, 2.0}};
}

const part lifecycles_part{"lifecycles", lifecycles};
const part adoption_part{"adoption", adoption};

} // namespace
} // namespace poseidon::bench
