#pragma once
// One log for several simulated processes: a server, and a connection of its own for each process. Appends travel, late, twice or
// never; what was appended reaches each follower in its own time; the server can be wiped and rolled back.

#include "actors/log/memory_log.hpp"
#include "test/simulation/event_queue.hpp"
#include "test/simulation/seeded_random.hpp"

#include <set>

namespace poseidon::simulation {

/// Delays of one connection, and what goes wrong on it. Chances are per million appends.
struct line_faults {
  millis least{1}, most{3};
  std::uint32_t late = 0;     ///< arrive up to five seconds later, and the appender is told that the outcome is unknown
  std::uint32_t repeated = 0; ///< arrive a second time, up to five seconds later
  std::uint32_t lost = 0;     ///< never arrive, and nobody is told
  std::uint32_t unacknowledged = 0; ///< arrive in time, and the appender is told that the outcome is unknown
};

/// To a front: look what has arrived.
struct log_arrived {
  using poseidon_message = void;
};
using shared_log_front = log_actor::extend<reacts_to<log_arrived>, reacts_to<log_connection>>;

class log_server;
/// One process's connection. The front reads it; only the server and the events change it.
struct log_line {
  std::string process;
  bool alive = true;         ///< the process is there
  bool connected = true;
  std::uint64_t visible = 0; ///< last sequence that has reached this process
  boot_time last_arrival;    ///< what is sent later arrives later
  std::uint64_t generation = 0; ///< of the connection
  shared_log_front front;
  line_faults faults;
};

class log_server {
public:
  log_server(event_queue& events, std::shared_ptr<seeded_random> random, const clock& time) : events_(events), random_(std::move(random)), time_(time) {}

  std::shared_ptr<log_line> connect(std::string process, line_faults faults);
  /// The process is gone: what it sent is on its way all the same.
  void drop(const std::shared_ptr<log_line>& line);
  /// Cuts a process off from the log, or lets it back.
  void cut(const std::shared_ptr<log_line>& line, bool away);
  bool is_cut(const std::string& process) const { return cut_.contains(process); }
  /// The server goes away for everybody, or comes back.
  void go_away();
  void come_back();
  bool up() const { return up_; }
  /// Everything is lost, or everything after `last`; every connection breaks and is made again a moment later.
  void wipe();
  void roll_back(std::uint64_t last);
  /// What is before this entry is dropped, but for the log's last one.
  void trim(std::uint64_t before);

  /// From a front: entries on their way.
  void send(const std::shared_ptr<log_line>& line, const log_sink& from, std::vector<entry_ptr> entries);
  memory_log_store store;

private:
  void arrive(const log_sink& from, const std::vector<entry_ptr>& entries);
  void fail(const log_sink& from, const entry_ptr& what, errc code) const;
  void spread();
  void set_connected(const std::shared_ptr<log_line>& line, bool connected);
  void break_all();

  event_queue& events_;
  std::shared_ptr<seeded_random> random_;
  const clock& time_;
  bool up_ = true;
  std::vector<std::shared_ptr<log_line>> lines_;
  std::set<std::string> cut_;
};

/// The process's end of a line.
shared_log_front spawn_shared_log(caf::actor_system& system, std::shared_ptr<log_server> server, std::shared_ptr<log_line> line);

} // namespace poseidon::simulation
