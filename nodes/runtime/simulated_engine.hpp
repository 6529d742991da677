#pragma once
// An engine in memory: containers that outlive the process that made them, latency, failures, lost replies, hangs and
// restarts. It has neither thread nor clock: time passes by an injected timer, and everything follows from the seed.

#include "nodes/runtime/runtime.hpp"

#include <deque>
#include <map>
#include <set>

namespace poseidon {

/// Runs a function after a span of (virtual) time. Called and run on one thread.
using simulation_timer = std::function<void(millis, std::function<void()>)>;

/// How containers of an image behave.
struct simulated_image {
  bool present = true; ///< on the node; else it is pulled
  bool exists = true;  ///< in its registry
  millis pull_time{500};
  std::optional<std::int32_t> exits_at_start; ///< with this code
  bool out_of_memory_at_start = false;
  bool ignores_term = false;
  std::string output;        ///< what it writes at start
  std::uint16_t port = 8000; ///< the one it exposes
};

/// What goes wrong, and how often (per mille of the calls).
struct simulated_faults {
  millis least_latency{1}, most_latency{1};
  std::uint32_t lost_replies = 0; ///< carried out, never answered
  std::uint32_t failures = 0;     ///< not carried out, answered with engine_error
};

/// One container of the engine.
struct simulated_container {
  container_id id;
  launch_plan_ptr plan;
  std::size_t service = 0;
  std::string cluster, node;
  bool running = false, out_of_memory = false;
  std::int32_t pid = 0, exit_code = 0;
  std::uint64_t start_ticks = 0;
  std::int64_t created_ms = 0; ///< wall time
  std::string output;
};

class simulated_engine {
public:
  simulated_engine(simulation_timer later, std::function<wall_time()> now, std::uint64_t seed);

  simulated_faults faults;
  simulated_image usual_image;                   ///< of every image that is not in `images`
  std::map<std::string, simulated_image> images; ///< by name
  simulated_image& image(const std::string& name);

  /// Calls are taken but nothing happens until resume(); then all of it happens.
  void hang() { hanging_ = true; }
  void resume();
  /// Refuses every call; what is under way ends unanswered, done or not.
  void go_down();
  void come_back(bool containers_survive);
  bool up() const { return up_; }

  /// Ends a service's process from outside; false when none runs.
  bool crash(const group_key& key, const std::string& service, std::int32_t exit_code = 137,
             bool out_of_memory = false);

  /// A running service writes something; false when none runs.
  bool write(const group_key& key, const std::string& service, const std::string& text);

  /// Containers by group, in start order. A group is here as long as it has any object.
  struct group {
    std::vector<simulated_container> containers;
    bool network = false;
    std::set<std::string> volumes;
    launch_plan_ptr plan;
    std::string cluster, node;
  };
  const std::map<group_key, group>& groups() const { return groups_; }
  std::size_t running() const;
  std::uint64_t calls() const { return calls_; }

  // For the simulated runtime.
  /// One call: `effect` is carried out after the latency (or not: faults), then `reply` is called with its result.
  /// False: no reply will ever come, and the caller has to wait for its own deadline.
  bool call(std::function<failure(simulated_engine&)> effect, std::function<void(failure)> reply);
  std::map<group_key, group>& all() { return groups_; }
  simulated_container& create(const launch_plan_ptr& plan, std::size_t service, const std::string& cluster,
                              const std::string& node);
  void start(simulated_container& container);
  void end(simulated_container& container, std::int32_t exit_code, bool out_of_memory);
  struct observer {
    std::function<void(const group_key&, const simulated_container&)> ended;
    std::function<void(bool up)> changed;
    std::function<void(const group_key&)> wrote;
  };
  void observe(std::weak_ptr<observer> watcher) { observers_.push_back(std::move(watcher)); }
  wall_time now() const { return now_(); }
  const simulation_timer& later() const { return later_; }

private:
  std::uint64_t random();
  bool happens(std::uint32_t per_mille) { return per_mille && random() % 1000 < per_mille; }
  template <class Tell> void tell(Tell tell);

  simulation_timer later_;
  std::function<wall_time()> now_;
  std::uint64_t random_state_, generation_ = 0, calls_ = 0, last_id_ = 0;
  std::int32_t last_pid_ = 1000;
  bool up_ = true, hanging_ = false;
  std::map<group_key, group> groups_;
  std::deque<std::function<void()>> held_; ///< calls taken while hanging
  std::vector<std::weak_ptr<observer>> observers_;
};

} // namespace poseidon
