#include "nodes/runtime/simulated_runtime.hpp"

#include "nodes/runtime/engine/error_map.hpp"
#include "nodes/runtime/engine/names.hpp"

#include <algorithm>
#include <unordered_map>

namespace poseidon {

namespace {

failure because(errc code, std::string detail) { return {code, std::move(detail), {}, {}, {}}; }

service_state state_of(const simulated_container& container, const simulated_image& image) {
  auto& spec = container.plan->spec->services[container.service];
  service_state state;
  state.service = spec.name;
  state.running = container.running;
  state.exit_code = container.exit_code;
  state.out_of_memory = container.out_of_memory;
  state.ports = spec.ports;
  if (state.ports.empty() && image.port) state.ports.push_back({image.port, port_protocol::http, "web"});
  state.where.container = container.id;
  if (container.running) {
    state.where.pid = container.pid;
    state.where.start_ticks = container.start_ticks;
    state.where.cgroup = container.id.value;
  }
  if (!state.ports.empty()) state.where.port = state.ports.front().port;
  return state;
}

class simulated_runtime final : public runtime {
public:
  simulated_runtime(std::shared_ptr<simulated_engine> engine, std::string cluster, std::string node, simulation_timer later)
      : engine_(std::move(engine)), owner_{std::move(cluster), std::move(node)}, later_(std::move(later)) {
    observer_ = std::make_shared<simulated_engine::observer>();
    observer_->ended = [this](const group_key& key, const simulated_container& container) { process_ended(key, container); };
    observer_->changed = [this](bool up) { changed(up); };
    engine_->observe(observer_);
  }
  ~simulated_runtime() override {
    observer_.reset();
    alive_.reset();
    for (auto& [number, end] : std::exchange(open_, {})) end(because(errc::shutting_down, "the runtime ends"));
  }

  void start(answer<runtime_info> to) override {
    auto reply = open<runtime_info>(std::move(to));
    ask(millis(60000), [](simulated_engine&) { return failure(); }, [reply](failure problem) {
      if (problem) return reply(problem);
      runtime_info info;
      info.namespace_dial = info.pidfd = true;
      info.engine = "simulated";
      info.isolation = "nothing is connected to anything";
      info.memory_bytes = 64ull << 30;
      info.cpu_millis = 64000;
      reply(info);
    });
  }

  void ensure(launch_plan_ptr plan, millis timeout, std::function<void(const group_progress&)> progress, answer<group_state> to) override {
    auto work = std::make_shared<ensure_work>();
    work->plan = plan;
    work->progress = std::move(progress);
    work->left = timeout;
    auto reply = open<group_state>(std::move(to));
    in_turn(plan->key, work, [this, work, reply](std::function<void()> next) {
      work->finish = [this, work, reply, next](failure problem) {
        if (!std::exchange(work->open, false)) return;
        if (problem) reply(problem);
        else reply(look(work->plan->key));
        next();
      };
      if (!work->plan->spec || work->plan->spec->services.empty()) return work->finish(because(errc::invalid_spec, "a group needs a service"));
      pull_missing(work, 0);
    });
  }

  void start_again(group_key key, millis timeout, answer<group_state> to) override {
    auto reply = open<group_state>(std::move(to));
    in_turn(key, nullptr, [this, key, timeout, reply](std::function<void()> next) {
      ask(timeout, [key](simulated_engine& engine) {
        auto found = engine.all().find(key);
        if (found == engine.all().end() || found->second.containers.empty()) return because(errc::unknown_instance, "no such group");
        for (auto& container : found->second.containers) engine.start(container);
        return failure();
      }, [this, key, reply, next](failure problem) {
        if (problem) reply(problem);
        else reply(look(key));
        next();
      });
    });
  }

  void stop(group_key key, std::string, millis grace, answer<done> to) override {
    auto reply = open<done>(std::move(to));
    in_turn(key, nullptr, [this, key, grace, reply](std::function<void()> next) {
      // Signals need no engine: the processes are held by their pidfds.
      expected_.insert(key);
      if (grace.count() > 0) end_processes(key, 143, true);
      auto kill = [this, key, reply, next] {
        end_processes(key, 137, false);
        expected_.erase(key);
        reply(done());
        next();
      };
      after(runs(key) && grace.count() > 0 ? grace : millis(1), kill);
    }, true);
  }

  void remove(group_key key, answer<done> to) override {
    auto reply = open<done>(std::move(to));
    in_turn(key, nullptr, [this, key, reply](std::function<void()> next) {
      ask(millis(30000), [this, key](simulated_engine& engine) {
        expected_.insert(key);
        end_processes(key, 137, false);
        engine.all().erase(key);
        expected_.erase(key);
        return failure();
      }, [this, key, reply, next](failure problem) {
        if (problem) reply(problem);
        else reply(done());
        files_.erase(key);
        watched_.erase(key);
        next();
      });
    }, true);
  }

  void list(answer<std::vector<runtime_object>> to) override {
    auto reply = open<std::vector<runtime_object>>(std::move(to));
    auto objects = std::make_shared<std::vector<runtime_object>>();
    ask(millis(30000), [this, objects](simulated_engine& engine) {
      for (auto& [key, group] : engine.all()) collect(key, group, *objects);
      return failure();
    }, [reply, objects](failure problem) {
      if (problem) reply(problem);
      else reply(std::move(*objects));
    });
  }

  void remove_object(runtime_object object, answer<done> to) override {
    auto reply = open<done>(std::move(to));
    ask(millis(30000), [this, object](simulated_engine& engine) {
      for (auto found = engine.all().begin(); found != engine.all().end(); ++found) {
        auto& group = found->second;
        if (group.cluster != owner_.cluster || group.node != owner_.node) continue;
        take_object(found->first, group, object);
        if (group.containers.empty() && !group.network && group.volumes.empty()) {
          engine.all().erase(found);
          break;
        }
      }
      return failure();
    }, [reply](failure problem) {
      if (problem) reply(problem);
      else reply(done());
    });
  }

  void inspect(group_key key, answer<group_state> to) override {
    auto reply = open<group_state>(std::move(to));
    auto state = std::make_shared<outcome<group_state>>();
    ask(millis(10000), [this, key, state](simulated_engine&) {
      *state = look(key);
      return failure();
    }, [reply, state](failure problem) {
      if (problem) reply(problem);
      else reply(std::move(*state));
    });
  }

  std::function<void()> logs(log_request request, std::function<void(const log_chunk&)> chunk, answer<done> to) override {
    auto reply = open<done>(std::move(to));
    auto finish = [reply, chunk, service = request.service] {
      chunk({service, "", false, true});
      reply(done());
    };
    auto text = std::make_shared<std::string>();
    ask(millis(30000), [this, request, text](simulated_engine& engine) {
      auto found = engine.all().find(request.key);
      if (found == engine.all().end()) return because(errc::unknown_instance, "no such group");
      for (auto& container : found->second.containers)
        if (request.service.empty() || container.plan->spec->services[container.service].name == request.service) {
          *text = container.output;
          return failure();
        }
      return because(errc::not_found, "the instance has no service " + request.service);
    }, [reply, chunk, finish, text, request](failure problem) {
      if (problem) return reply(problem);
      if (!text->empty()) chunk({request.service, *text, false, false});
      if (!request.follow) finish();
    });
    std::weak_ptr<bool> weak = alive_;
    return [this, weak, finish] {
      if (weak.lock()) after(millis(0), finish);
    };
  }

  void stats(group_key key, answer<group_stats> to) override {
    auto reply = open<group_stats>(std::move(to));
    auto sum = std::make_shared<group_stats>();
    ask(millis(10000), [key, sum](simulated_engine& engine) {
      auto found = engine.all().find(key);
      if (found == engine.all().end()) return because(errc::unknown_instance, "no such group");
      for (auto& container : found->second.containers) {
        auto& limits = container.plan->spec->services[container.service].limits;
        sum->memory_limit_bytes += limits.memory_bytes;
        if (!container.running) continue;
        sum->memory_bytes += limits.memory_bytes / 8;
        sum->pids += 1;
      }
      return failure();
    }, [reply, sum](failure problem) {
      if (problem) reply(problem);
      else reply(*sum);
    });
  }

  void watch(std::function<void(const service_exited&)> watcher) override { watcher_ = std::move(watcher); }
  void watch_engine(std::function<void(const engine_changed&)> watcher) override { engine_watcher_ = std::move(watcher); }

  void update_instance_file(launch_plan_ptr plan, answer<done> to) override {
    auto reply = open<done>(std::move(to));
    after(millis(0), [this, plan, reply] {
      auto found = files_.find(plan->key);
      if (found == files_.end()) return reply(because(errc::unknown_instance, "no such group"));
      found->second = plan;
      reply(done());
    });
  }

  void pull(std::string image, millis timeout, std::function<void(std::uint32_t)> progress, answer<done> to) override {
    auto reply = open<done>(std::move(to));
    after(std::min(timeout, engine_->image(image).pull_time), [this, image, timeout, progress, reply] {
      auto& wanted = engine_->image(image);
      if (!wanted.exists) return reply(because(errc::image_missing, image + ": manifest unknown"));
      if (wanted.pull_time > timeout) return reply(because(errc::image_pull_failed, image + " was not pulled in time"));
      wanted.present = true;
      if (progress) progress(100);
      reply(done());
    });
  }

private:
  struct ensure_work {
    launch_plan_ptr plan;
    std::function<void(const group_progress&)> progress;
    std::function<void(failure)> finish;
    millis left{0};
    bool open = true;      ///< not answered yet
    bool given_up = false; ///< a stop or remove waits
  };
  using work_ptr = std::shared_ptr<ensure_work>;
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
  template <class T>
  std::function<void(outcome<T>)> open(answer<T> to) {
    auto number = ++last_number_;
    auto shared = std::make_shared<answer<T>>(std::move(to));
    open_[number] = [shared](const failure& why) { (*shared)(why); };
    std::weak_ptr<bool> alive = alive_;
    return [this, alive, number, shared](outcome<T> result) {
      if (!alive.lock() || !open_.erase(number)) return;
      (*shared)(std::move(result));
    };
  }

  void after(millis span, std::function<void()> work) {
    later_(span, [alive = std::weak_ptr<bool>(alive_), work = std::move(work)] {
      if (alive.lock()) work();
    });
  }

  /// One call of the engine that ends: with its reply, or with engine_timeout.
  void ask(millis timeout, std::function<failure(simulated_engine&)> effect, std::function<void(failure)> reply) {
    auto answered = std::make_shared<bool>(false);
    std::weak_ptr<bool> alive = alive_;
    // The effect happens in the engine whether or not this process still lives; what it does here, only if it does.
    auto guarded = [alive, answered, reply = std::move(reply)](failure problem) {
      if (!alive.lock() || std::exchange(*answered, true)) return;
      reply(std::move(problem));
    };
    bool will_answer = engine_->call([alive, effect = std::move(effect)](simulated_engine& engine) {
      return alive.lock() ? effect(engine) : because(errc::shutting_down, "the process has ended");
    }, guarded);
    if (!will_answer) after(timeout, [guarded] { guarded(because(errc::engine_timeout, "the engine did not answer in time")); });
  }

  void in_turn(const group_key& key, work_ptr ensure, std::function<void(std::function<void()>)> begin, bool ends = false) {
    auto& turn = turns_[key];
    if (ends && turn.current) turn.current->given_up = true;
    if (ends)
      for (auto& one : turn.waiting)
        if (one.ensure) one.ensure->given_up = true;
    turn.waiting.push_back({std::move(ensure), std::move(begin)});
    if (!turn.busy) after(millis(0), [this, key] { take_turn(key); });
    turn.busy = true;
  }

  void take_turn(const group_key& key) {
    auto found = turns_.find(key);
    if (found == turns_.end()) return;
    if (found->second.waiting.empty()) {
      turns_.erase(found);
      return;
    }
    auto entry = std::move(found->second.waiting.front());
    found->second.waiting.pop_front();
    found->second.current = entry.ensure;
    entry.begin([this, key] {
      if (auto again = turns_.find(key); again != turns_.end()) again->second.current.reset();
      after(millis(0), [this, key] { take_turn(key); });
    });
  }

  void tell(const work_ptr& work, group_step step, std::optional<std::uint32_t> percent = {}) {
    if (work->progress && work->open) work->progress({work->plan->key, step, percent});
  }

  void pull_missing(const work_ptr& work, std::size_t service) {
    if (work->given_up) return work->finish(because(errc::superseded, "stopped while it was starting"));
    auto& services = work->plan->spec->services;
    if (service == services.size()) return create(work);
    auto& wanted = services[service];
    if (engine_->image(wanted.image).present) return pull_missing(work, service + 1);
    if (wanted.pull == pull_mode::never) return work->finish(because(errc::image_missing, wanted.image + " is not on this node"));
    tell(work, group_step::pulling, 0);
    work->left -= engine_->image(wanted.image).pull_time;
    pull(wanted.image, work->left + engine_->image(wanted.image).pull_time,
         [this, work](std::uint32_t percent) { tell(work, group_step::pulling, percent); },
         [this, work, service](outcome<done> pulled) {
           if (!pulled) work->finish(pulled.error);
           else pull_missing(work, service + 1);
         });
  }

  void create(const work_ptr& work) {
    tell(work, group_step::creating);
    auto owner = owner_;
    files_[work->plan->key] = work->plan;
    ask_engine_even_dead(work, [work, owner](simulated_engine& engine) {
      for (std::size_t i = 0; i < work->plan->spec->services.size(); ++i) engine.create(work->plan, i, owner.cluster, owner.node);
      return failure();
    }, [this, work] {
      if (work->given_up) return work->finish(because(errc::superseded, "stopped while it was starting"));
      tell(work, group_step::starting);
      start_created(work);
    });
  }

  void start_created(const work_ptr& work) {
    expected_.insert(work->plan->key);
    ask_engine_even_dead(work, [work](simulated_engine& engine) {
      auto found = engine.all().find(work->plan->key);
      if (found == engine.all().end()) return because(errc::engine_error, "the container is gone");
      for (auto& container : found->second.containers) {
        engine.start(container);
        if (!container.running)
          return engine::map_early_exit(container.exit_code, container.out_of_memory, "", container.output);
      }
      return failure();
    }, [work] { work->finish(failure()); });
  }

  /// As ask, but what was sent happens although this process may have ended: a client that leaves cancels nothing.
  void ask_engine_even_dead(const work_ptr& work, std::function<failure(simulated_engine&)> effect, std::function<void()> go_on) {
    std::weak_ptr<bool> alive = alive_;
    auto guarded = [this, alive, work, go_on = std::move(go_on)](failure problem) {
      if (!alive.lock() || !work->open) return;
      expected_.erase(work->plan->key);
      if (problem) work->finish(std::move(problem));
      else go_on();
    };
    if (!engine_->call(std::move(effect), guarded))
      after(std::max(work->left, millis(1)), [guarded] { guarded(because(errc::engine_timeout, "the engine did not answer in time")); });
  }

  bool mine(const simulated_engine::group& group) const { return group.cluster == owner_.cluster && group.node == owner_.node; }

  outcome<group_state> look(const group_key& key) {
    auto found = engine_->all().find(key);
    if (found == engine_->all().end() || !mine(found->second) || found->second.containers.empty())
      return because(errc::unknown_instance, "the engine holds nothing of instance " + key.instance.value);
    watched_.insert(key);
    group_state state;
    state.key = key;
    for (auto& container : found->second.containers)
      state.services.push_back(state_of(container, engine_->image(container.plan->spec->services[container.service].image)));
    return state;
  }

  bool runs(const group_key& key) const {
    auto found = engine_->groups().find(key);
    if (found == engine_->groups().end()) return false;
    return std::any_of(found->second.containers.begin(), found->second.containers.end(), [](auto& one) { return one.running; });
  }

  void end_processes(const group_key& key, std::int32_t exit_code, bool by_term) {
    auto found = engine_->all().find(key);
    if (found == engine_->all().end() || !mine(found->second)) return;
    for (auto& container : found->second.containers) {
      bool deaf = by_term && engine_->image(container.plan->spec->services[container.service].image).ignores_term;
      if (container.running && !deaf) engine_->end(container, exit_code, false);
    }
  }

  void process_ended(const group_key& key, const simulated_container& container) {
    if (container.cluster != owner_.cluster || container.node != owner_.node) return;
    if (!watched_.count(key) || expected_.count(key)) return;
    service_exited exit{key, container.plan->spec->services[container.service].name, container.exit_code, container.out_of_memory};
    after(millis(1), [this, exit] { report(exit); });
  }
  /// Told once the engine knows: not while it is down.
  void report(const service_exited& exit) {
    if (!engine_->up()) unreported_.push_back(exit);
    else if (watcher_) watcher_(exit);
  }
  void changed(bool up) {
    after(millis(1), [this, up] {
      for (auto& exit : up ? std::exchange(unreported_, {}) : std::vector<service_exited>()) report(exit);
      if (engine_watcher_) engine_watcher_({up});
    });
  }

  void collect(const group_key& key, const simulated_engine::group& group, std::vector<runtime_object>& objects) {
    if (!mine(group)) return;
    watched_.insert(key);
    auto now = engine_->now().ms;
    for (auto& container : group.containers) {
      runtime_object object;
      object.id = container.id.value;
      object.state = state_of(container, engine_->image(container.plan->spec->services[container.service].image));
      object.name = engine::container_name(owner_, key, object.state.service);
      object.labels = engine::container_labels(owner_, *container.plan, container.service);
      object.running = container.running;
      object.age_ms = now - container.created_ms;
      objects.push_back(std::move(object));
    }
    auto extra = [&](object_kind kind, std::string name) {
      runtime_object object;
      object.kind = kind;
      object.id = object.name = std::move(name);
      object.labels = engine::group_labels(owner_, *group.plan);
      object.age_ms = now - group.plan->created_at.ms;
      objects.push_back(std::move(object));
    };
    if (group.network) extra(object_kind::network, engine::group_name(owner_, key));
    for (auto& volume : group.volumes) extra(object_kind::volume, engine::volume_name(owner_, key, volume));
  }

  void take_object(const group_key& key, simulated_engine::group& group, const runtime_object& object) {
    if (object.kind == object_kind::network && object.name == engine::group_name(owner_, key)) group.network = false;
    if (object.kind == object_kind::volume)
      std::erase_if(group.volumes, [&](auto& volume) { return engine::volume_name(owner_, key, volume) == object.name; });
    if (object.kind != object_kind::container) return;
    bool was_expected = !expected_.insert(key).second;
    std::erase_if(group.containers, [&](auto& container) {
      if (container.id.value != object.id) return false;
      if (container.running) engine_->end(container, 137, false);
      return true;
    });
    if (!was_expected) expected_.erase(key);
  }

  std::shared_ptr<simulated_engine> engine_;
  engine::identity owner_;
  simulation_timer later_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::shared_ptr<simulated_engine::observer> observer_;
  std::function<void(const service_exited&)> watcher_;
  std::function<void(const engine_changed&)> engine_watcher_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, std::function<void(const failure&)>> open_;
  std::map<group_key, turn_record> turns_;
  std::map<group_key, launch_plan_ptr> files_; ///< instance.json of each group
  std::set<group_key> watched_, expected_;
  std::vector<service_exited> unreported_;
};

} // namespace

std::unique_ptr<runtime> make_simulated_runtime(std::shared_ptr<simulated_engine> engine, std::string cluster, std::string node,
                                                simulation_timer later) {
  return std::make_unique<simulated_runtime>(std::move(engine), std::move(cluster), std::move(node), std::move(later));
}

} // namespace poseidon
