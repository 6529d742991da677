#pragma once
// Inside of the Docker runtime: state and work of its one io thread. Public calls (docker_runtime.cpp) only post to it.

#include "nodes/runtime/docker_runtime.hpp"
#include "nodes/runtime/engine/create_body.hpp"
#include "nodes/runtime/engine/engine_client.hpp"
#include "nodes/runtime/engine/process_watch.hpp"
#include "nodes/runtime/engine/replies.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <deque>
#include <map>
#include <set>
#include <unordered_map>

namespace poseidon::engine {

/// One container that we watch.
struct tracked_container {
  group_key key;
  std::string service, name, id, stop_signal;
  endpoint where;
  service_state state;                                   ///< as last looked at; `where` and `running` above are newer
  int order = 0;                                         ///< place in the group
  bool running = false;                                  ///< as far as we know
  bool expected = false;                                 ///< whoever ends it now asked for it: the watcher is not told
  steady_time since{};                                   ///< watched since: an older list says nothing about it
  std::unique_ptr<asio::posix::stream_descriptor> pidfd; ///< empty: only events and lists tell of its end
};
using tracked_ptr = std::shared_ptr<tracked_container>;

/// One group: its containers and the order of calls for it.
struct group_record {
  limiter turn{1};        ///< calls are done one after the other
  std::size_t enders = 0; ///< stops and removes waiting for their turn: an ensure under way gives up
  wait_list changed;      ///< a container ended, or an ender came
  std::map<std::string, tracked_ptr> containers; ///< by service
  bool removing = false; ///< a remove is under way: what a list still finds is nothing to watch
  bool complete = false; ///< `containers` and `plan` are all that there is: no search by label needed
  launch_plan_ptr plan;  ///< of the last ensure; empty after a restart of this process
};
using group_ptr = std::shared_ptr<group_record>;

/// One pull under way; asked for by any number of groups.
struct pull_record {
  wait_list changed;
  std::uint32_t percent = 0;
  std::optional<failure> result; ///< set at the end; errc::ok when it is there
};

class docker_core {
public:
  docker_core(docker_options options, std::string socket_path);
  ~docker_core();

  // docker_ensure.cpp
  task<outcome<group_state>> ensure(launch_plan_ptr plan, millis timeout,
                                    std::function<void(const group_progress&)> progress);
  // docker_start.cpp
  task<outcome<group_state>> start_again(group_key key, millis timeout);
  // docker_stop.cpp
  task<outcome<done>> stop(group_key key, std::string signal, millis grace);
  task<outcome<done>> remove(group_key key);
  task<outcome<done>> remove_object(runtime_object object);
  // docker_inventory.cpp
  task<outcome<std::vector<runtime_object>>> list();
  task<outcome<group_state>> inspect(group_key key);
  task<outcome<group_stats>> stats(group_key key);
  task<outcome<std::vector<std::string>>> list_images();
  // docker_logs.cpp
  task<outcome<done>> logs(log_request request, std::function<void(const log_chunk&)> chunk,
                           std::shared_ptr<stream_control> control);
  /// Waits for a container whose output has ended to run again; false when it will not.
  task<bool> runs_again(group_key key, std::string service, std::shared_ptr<stream_control> control);
  // docker_pull.cpp
  task<outcome<done>> pull(std::string image, millis timeout, std::function<void(std::uint32_t)> progress);
  // docker_isolation.cpp
  task<outcome<runtime_info>> start();
  // docker_files.cpp
  task<outcome<done>> update_instance_file(launch_plan_ptr plan);

  asio::io_context& io() { return *io_; }
  /// Set by any call of watch(); called on the io thread.
  std::function<void(const service_exited&)> watcher;
  std::function<void(const engine_changed&)> engine_watcher;

private:
  /// Where an ensure stands: what its steps share.
  struct ensure_work {
    launch_plan_ptr plan;
    group_ptr group;
    steady_time deadline;
    std::function<void(const group_progress&)> progress;
    create_options options;
    std::set<std::string> pulled;      ///< images brought up to date by this call
    std::vector<service_state> states; ///< of the services that run
    limiter::permit place;             ///< among the starts in flight; not held while an image is pulled
    bool given_up() const { return group->enders > 0; }
    void tell(group_step step, std::optional<std::uint32_t> percent = {}) const;
  };

  // docker_ensure.cpp
  static failure given_up_failure() { return {errc::superseded, "stopped while it was starting", {}, {}, {}}; }
  task<failure> ensure_services(ensure_work& work);
  task<failure> ensure_container(ensure_work& work, std::size_t service);
  task<outcome<std::string>> create_container(ensure_work& work, std::size_t service);
  task<outcome<std::string>> adopt_or_refuse(ensure_work& work, std::size_t service);
  task<failure> ensure_network(ensure_work& work);
  task<failure> ensure_image(ensure_work& work, const service_spec& service);
  task<failure> take_place(ensure_work& work);
  task<outcome<std::string>> create_once(ensure_work& work, std::size_t service);

  // docker_start.cpp
  task<failure> start_in_order(group_ptr group, group_key key, steady_time deadline);
  task<void> await_noticed_end(std::string id, steady_time deadline);
  task<failure> start_container(std::string id, steady_time deadline);
  task<failure> start_over_leftover(std::string id, failure why, steady_time deadline);
  task<outcome<container_info>> look(std::string name_or_id, steady_time deadline);
  task<outcome<container_info>> look_until_known(std::string name_or_id, steady_time deadline);
  task<failure> early_exit(const container_info& container, steady_time deadline);
  task<outcome<service_state>> started(group_ptr group, group_key key, std::string id, steady_time deadline);
  task<outcome<group_state>> look_at_group(group_ptr group, group_key key, steady_time deadline);

  // docker_stop.cpp
  task<failure> find_containers(group_ptr group, group_key key, steady_time deadline);
  task<void> signal_container(tracked_ptr container, int signal, steady_time deadline);
  task<bool> wait_all_ended(group_ptr group, steady_time deadline);
  task<failure> remove_container(std::string name_or_id, steady_time deadline);
  task<failure> remove_network(std::string name_or_id, steady_time deadline);
  task<failure> remove_volume(std::string name, steady_time deadline);
  task<failure> remove_by_label(const group_key& key, steady_time deadline);
  task<failure> remove_leftovers(group_ptr group, group_key key, steady_time deadline);

  // docker_inventory.cpp
  task<failure> describe(listed_object row, runtime_object& object, steady_time deadline);
  bool going(const group_key& key, const std::string& id) const;

  // docker_exits.cpp
  /// Notes a container, and begins to watch it when it runs; false when its process has ended meanwhile. `sure`: the
  /// engine insists that it runs, so that what can't be held is watched by events and lists alone.
  bool track(group_ptr group, const group_key& key, const container_info& container, bool sure = false);
  service_state state_of(const group_record& group, const container_info& container) const;
  void watch_pidfd(tracked_ptr container);
  void process_ended(tracked_ptr container);
  task<void> report_exit(tracked_ptr container);
  task<void> follow_events();
  task<void> sweep_forever();
  task<void> sweep();
  void handle_event(const std::string& text);

  // docker_isolation.cpp
  task<failure> agree();
  task<failure> prove_isolation(std::string oci_runtime, steady_time deadline);
  task<failure> try_probe(std::string oci_runtime, steady_time deadline);
  task<failure> run_probe(std::string name, std::string oci_runtime, steady_time deadline);
  task<failure> import_probe(steady_time deadline);

  // docker_pull.cpp
  task<failure> pull_shared(std::string image, steady_time deadline, std::function<bool()> give_up,
                            std::function<void(std::uint32_t)> progress);
  task<void> run_pull(std::string image, std::shared_ptr<pull_record> record);
  std::string registry_auth(const std::string& registry);

  // docker_files.cpp
  std::string instance_folder(const group_key& key) const;
  failure write_instance_folder(const launch_plan& plan) const;
  void remove_instance_folder(const group_key& key) const;
  void remember_container(const std::string& id) const;
  void forget_container(const std::string& id) const;

  // docker_leftovers.cpp
  task<void> end_process(std::int32_t pid, std::string id, steady_time deadline);
  task<void> end_leftovers(std::string id, steady_time deadline);
  task<failure> end_shim(endpoint shim, steady_time deadline);
  task<failure> end_forgotten(std::string id, steady_time deadline);
  std::vector<runtime_object> find_shims(const std::set<std::string>& known) const;

  // docker_core.cpp
  group_ptr group_at(const group_key& key);
  group_ptr known_group(const group_key& key) const;
  void drop_if_idle(const group_key& key);
  task<void> pause(millis span, steady_time deadline);
  bool ours(const container_info& container, const group_key& key, const std::string& service) const;

  docker_options options_;
  identity owner_;
  // Coroutine frames are destroyed with the io_context and give permits back then: what they touch is declared before
  // it.
  limiter starts_, removes_, pulls_;
  std::map<group_key, group_ptr> groups_;
  std::unordered_map<std::string, tracked_ptr> by_id_;
  std::map<std::string, std::shared_ptr<pull_record>> pulling_;
  std::deque<std::string> gone_;  ///< ids of the last containers that were removed
  std::deque<group_key> removed_; ///< the last ones: whatever of theirs turns up later came out of a lost create
  /// Ids of containers whose start was not answered: whether they run, the engine itself may not know.
  std::set<std::string> doubtful_;
  std::set<std::string> proved_;  ///< OCI runtimes with proved isolation
  std::optional<runtime_info> info_;
  bool disk_limits_ = false, background_ = false;
  std::vector<std::string> images_;         ///< as listed last
  std::optional<steady_time> images_until_; ///< then they are listed anew; nothing: at the next question
  std::uint64_t open_files_ = create_options().open_files; ///< 0 once the engine has turned out unable to set it
  wait_list engine_back_;
  std::unique_ptr<asio::io_context> io_;
  std::unique_ptr<engine_client> client_;
};

/// How long an ambiguous reply is looked into while the engine is away.
constexpr millis settle_time{15000};

inline failure fail(errc code, std::string detail) { return {code, std::move(detail), {}, {}, {}}; }
inline steady_time sooner(steady_time deadline, millis span) { return std::min(deadline, after(span)); }

/// Writes a warning to the log.
void warn(const std::string& words);

} // namespace poseidon::engine
