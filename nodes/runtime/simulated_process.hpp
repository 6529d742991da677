#pragma once
// Inside of the simulated runtime: one process's side of a simulated engine.

#include "nodes/runtime/engine/names.hpp"
#include "nodes/runtime/simulated_runtime.hpp"

#include <deque>
#include <map>
#include <set>

namespace poseidon {

inline failure because(errc code, std::string detail) { return {code, std::move(detail), {}, {}, {}}; }

/// The longest that one call may take, whatever its deadline: what docker_options::call_timeout is by default.
inline constexpr millis simulated_call_timeout{30'000};

/// The service as vocabulary.
service_state state_of(const simulated_container& container, const simulated_image& image);

class simulated_process final : public runtime {
public:
  simulated_process(std::shared_ptr<simulated_engine> engine, std::string cluster, std::string node,
                    simulation_timer later);
  ~simulated_process() override;
  void start(answer<runtime_info> to) override;
  void ensure(launch_plan_ptr plan, millis timeout, std::function<void(const group_progress&)> progress,
              answer<group_state> to) override;
  void start_again(group_key key, millis timeout, answer<group_state> to) override;
  void stop(group_key key, std::string, millis grace, answer<done> to) override;
  void remove(group_key key, answer<done> to) override;
  void list(answer<std::vector<runtime_object>> to) override;
  void remove_object(runtime_object object, answer<done> to) override;
  void inspect(group_key key, answer<group_state> to) override;
  log_reading logs(log_request request, std::function<void(const log_chunk&)> chunk, answer<done> to) override;
  void stats(group_key key, answer<group_stats> to) override;
  void watch(std::function<void(const service_exited&)> watcher) override;
  void watch_engine(std::function<void(const engine_changed&)> watcher) override;
  void update_instance_file(launch_plan_ptr plan, answer<done> to) override;
  void list_images(answer<std::vector<std::string>> to) override;
  void pull(std::string image, millis timeout, std::function<void(std::uint32_t)> progress, answer<done> to) override;

private:
  struct ensure_work {
    launch_plan_ptr plan;
    std::function<void(const group_progress&)> progress;
    std::function<void(outcome<group_state>)> reply;
    std::function<void()> next; ///< gives the group's turn on
    millis left{0};
    bool open = true;      ///< not answered yet
    bool given_up = false; ///< a stop or remove waits
  };
  using work_ptr = std::shared_ptr<ensure_work>;
  /// A log that is being read.
  struct reader {
    log_request request;
    std::function<void(const log_chunk&)> chunk;
    std::function<void(outcome<done>)> reply;
    std::size_t at = 0; ///< in the container's output
    std::uint64_t credit = 0;
    bool begun = false; ///< the engine has found it
  };
  struct turn_record {
    struct entry {
      work_ptr ensure;
      std::function<void(std::function<void()>)> begin;
    };
    std::deque<entry> waiting;
    work_ptr current;
    bool busy = false;
  };
  /// The answer's taker; called at most once with effect, by the work or at this runtime's end.
  template <class T> std::function<void(outcome<T>)> open(answer<T> to) {
    auto number = ++last_number_;
    auto shared = std::make_shared<answer<T>>(std::move(to));
    open_[number] = [shared](const failure& why) { (*shared)(why); };
    std::weak_ptr<bool> alive = alive_;
    return [this, alive, number, shared](outcome<T> result) {
      if (!alive.lock() || !open_.erase(number)) return;
      (*shared)(std::move(result));
    };
  }
  void after(millis span, std::function<void()> work);
  /// One call of the engine that ends: with its reply, or with engine_timeout.
  void ask(millis timeout, std::function<failure(simulated_engine&)> effect, std::function<void(failure)> reply);
  void in_turn(const group_key& key, work_ptr ensure, std::function<void(std::function<void()>)> begin,
               bool ends = false);
  void take_turn(const group_key& key);
  void finish(const work_ptr& work, failure problem);
  // simulated_logs.cpp
  void read_on(std::uint64_t number);
  void read_on(const group_key& key);
  void end_reading(std::uint64_t number, failure why);
  void tell(const work_ptr& work, group_step step, std::optional<std::uint32_t> percent = {});
  void pull_missing(const work_ptr& work, std::size_t service);
  void create(const work_ptr& work);
  void start_created(const work_ptr& work);
  /// As ask, but what was sent happens although this process may have ended: a client that leaves cancels nothing.
  void ask_engine_even_dead(const work_ptr& work, std::function<failure(simulated_engine&)> effect,
                            std::function<void()> go_on);
  bool mine(const simulated_engine::group& group) const {
    return group.cluster == owner_.cluster && group.node == owner_.node;
  }
  outcome<group_state> look(const group_key& key);
  bool runs(const group_key& key) const;
  void end_processes(const group_key& key, std::int32_t exit_code, bool by_term);
  void process_ended(const group_key& key, const simulated_container& container);
  /// Told once the engine knows: not while it is down.
  void report(const service_exited& exit);
  void changed(bool up);
  void collect(const group_key& key, const simulated_engine::group& group, std::vector<runtime_object>& objects);
  void take_object(const group_key& key, simulated_engine::group& group, const runtime_object& object);

  std::shared_ptr<simulated_engine> engine_;
  engine::identity owner_;
  simulation_timer later_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::shared_ptr<simulated_engine::observer> observer_;
  std::function<void(const service_exited&)> watcher_;
  std::function<void(const engine_changed&)> engine_watcher_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, std::function<void(const failure&)>> open_;
  std::map<std::uint64_t, reader> readers_;
  std::map<group_key, turn_record> turns_;
  std::map<group_key, launch_plan_ptr> files_; ///< instance.json of each group
  std::set<group_key> watched_, expected_;
  std::vector<service_exited> unreported_;
};

} // namespace poseidon
