#pragma once
// Several simulated processes, each on a machine of its own, over one log and one bus. What happens next is picked from the seed;
// between processes only frames and entries pass.

#include "test/simulation/simulated_process.hpp"

namespace poseidon::simulation {

/// One machine: its engine, its clocks, its disk, and its process while one runs.
struct machine {
  process_plan plan;
  std::shared_ptr<simulated_engine> engine; ///< null without the role node
  disk storage;                             ///< of the process that is not there
  std::unique_ptr<simulated_process> process;
  std::int64_t boot_began = 0; ///< boot clock at the simulation's beginning
  millis clock_set{0};         ///< of its wall clock, from the simulation's
  std::uint64_t boots = 1;
  bool frozen = false;
  millis owed{0};              ///< time that passed while it was frozen
  bool bus_cut = false;
  // When it was last in trouble, in the simulation's time: without process or frozen; that or without its log; that or not
  // heard by everybody; its engine.
  std::int64_t process_troubled_ms = 0, troubled_ms = 0, unheard_ms = 0, engine_troubled_ms = 0;
  bool engine_hangs = false, had_engine_faults = false;
  std::optional<std::size_t> crash_after; ///< so many messages

  boot_time boot_now(std::int64_t now_ms) const { return {boot_began + now_ms}; }
  bool running() const { return process && !frozen; }
};

struct cluster_size {
  std::size_t nodes = 3, gateways = 2;
  bool clocks_differ = true;
  line_faults line;
  millis lost_after{15'000};
  std::uint32_t instances_per_node = 60;
};

class cluster {
public:
  cluster(std::uint64_t seed, const cluster_size& size);
  ~cluster();

  std::int64_t now() const { return events.now_ms(); }
  /// Lets time pass to the next moment at which something is due, at most by `most`, and runs whatever has something to do.
  void step(millis most);
  void pass(millis span);

  // What happens to machines. `keep`: of its disk, what survives.
  struct kept {
    bool journal = true, tail = true;
  };
  void crash(machine& at);
  void start(machine& at, kept what);
  void start(machine& at) { start(at, kept{}); }
  void freeze(machine& at) { at.frozen = at.process != nullptr; }
  void thaw(machine& at);
  /// The machine loses power: process, containers, boot clock.
  void reboot(machine& at);
  void cut_bus(machine& at, bool away);
  void cut_log(machine& at, bool away);
  void set_clock(machine& at, millis to);

  std::vector<machine*> with_process(bool gateway);
  /// Asks one gateway that runs; null: none does.
  machine* some_gateway();
  ledger_image_ptr image(machine& at);
  /// The state as the most advanced replica has it.
  ledger_image_ptr image();

  event_queue events;
  std::shared_ptr<seeded_random> random;
  std::shared_ptr<log_server> log;
  std::shared_ptr<memory_bus_hub> hub;
  std::vector<std::unique_ptr<machine>> machines;
  std::set<std::pair<std::string, std::string>> partitions; ///< pairs between which no frame passes, both ways
  std::uint32_t bus_lost = 0;  ///< frames, per million
  millis bus_most{3};
  std::uint64_t crashes = 0, messages = 0;

private:
  void carry(const std::string& from, const std::string& to, std::function<void()> deliver);
  void run();
  void note_trouble();
  millis until_next(millis most);

  cluster_size size_;
  std::shared_ptr<test::virtual_clock> time_ = std::make_shared<test::virtual_clock>();
  std::uint64_t runs_ = 0;
};

} // namespace poseidon::simulation
