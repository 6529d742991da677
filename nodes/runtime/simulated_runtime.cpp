#include "nodes/runtime/simulated_process.hpp"

#include <algorithm>

namespace poseidon {

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

simulated_process::simulated_process(std::shared_ptr<simulated_engine> engine, std::string cluster, std::string node,
                                     simulation_timer later)
    : engine_(std::move(engine)), owner_{std::move(cluster), std::move(node)}, later_(std::move(later)) {
  observer_ = std::make_shared<simulated_engine::observer>();
  observer_->ended = [this](const group_key& key, const simulated_container& container) {
    process_ended(key, container);
  };
  observer_->changed = [this](bool up) { changed(up); };
  observer_->wrote = [this](const group_key& key) { read_on(key); };
  engine_->observe(observer_);
}

simulated_process::~simulated_process() {
  observer_.reset();
  alive_.reset();
  for (auto& [number, end] : std::exchange(open_, {}))
    end(because(errc::shutting_down, "the runtime ends"));
}

void simulated_process::start(answer<runtime_info> to) {
  auto reply = open<runtime_info>(std::move(to));
  ask(
      millis(60000), [](simulated_engine&) { return failure(); },
      [reply](failure problem) {
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

void simulated_process::list(answer<std::vector<runtime_object>> to) {
  auto reply = open<std::vector<runtime_object>>(std::move(to));
  auto objects = std::make_shared<std::vector<runtime_object>>();
  ask(
      millis(30000),
      [this, objects](simulated_engine& engine) {
        for (auto& [key, group] : engine.all())
          collect(key, group, *objects);
        return failure();
      },
      [reply, objects](failure problem) {
        if (problem)
          reply(problem);
        else
          reply(std::move(*objects));
      });
}

void simulated_process::remove_object(runtime_object object, answer<done> to) {
  auto reply = open<done>(std::move(to));
  ask(
      millis(30000),
      [this, object](simulated_engine& engine) {
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
      },
      [reply](failure problem) {
        if (problem)
          reply(problem);
        else
          reply(done());
      });
}

void simulated_process::inspect(group_key key, answer<group_state> to) {
  auto reply = open<group_state>(std::move(to));
  auto state = std::make_shared<outcome<group_state>>();
  ask(
      millis(10000),
      [this, key, state](simulated_engine&) {
        *state = look(key);
        return failure();
      },
      [reply, state](failure problem) {
        if (problem)
          reply(problem);
        else
          reply(std::move(*state));
      });
}

void simulated_process::stats(group_key key, answer<group_stats> to) {
  auto reply = open<group_stats>(std::move(to));
  auto sum = std::make_shared<group_stats>();
  ask(
      millis(10000),
      [key, sum](simulated_engine& engine) {
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
      },
      [reply, sum](failure problem) {
        if (problem)
          reply(problem);
        else
          reply(*sum);
      });
}

void simulated_process::watch(std::function<void(const service_exited&)> watcher) { watcher_ = std::move(watcher); }
void simulated_process::watch_engine(std::function<void(const engine_changed&)> watcher) {
  engine_watcher_ = std::move(watcher);
}

void simulated_process::update_instance_file(launch_plan_ptr plan, answer<done> to) {
  auto reply = open<done>(std::move(to));
  after(millis(0), [this, plan, reply] {
    auto found = files_.find(plan->key);
    if (found == files_.end()) return reply(because(errc::unknown_instance, "no such group"));
    found->second = plan;
    reply(done());
  });
}

void simulated_process::after(millis span, std::function<void()> work) {
  later_(span, [alive = std::weak_ptr<bool>(alive_), work = std::move(work)] {
    if (alive.lock()) work();
  });
}

void simulated_process::ask(millis timeout, std::function<failure(simulated_engine&)> effect,
                            std::function<void(failure)> reply) {
  auto answered = std::make_shared<bool>(false);
  std::weak_ptr<bool> alive = alive_;
  // The effect happens in the engine whether or not this process still lives; what it does here, only if it does.
  auto guarded = [alive, answered, reply = std::move(reply)](failure problem) {
    if (!alive.lock() || std::exchange(*answered, true)) return;
    reply(std::move(problem));
  };
  bool will_answer = engine_->call(
      [alive, effect = std::move(effect)](simulated_engine& engine) {
        return alive.lock() ? effect(engine) : because(errc::shutting_down, "the process has ended");
      },
      guarded);
  if (!will_answer)
    after(std::min(timeout, simulated_call_timeout), [guarded] { guarded(because(errc::engine_timeout, "the engine did not answer in time")); });
}

void simulated_process::tell(const work_ptr& work, group_step step, std::optional<std::uint32_t> percent) {
  if (work->progress && work->open) work->progress({work->plan->key, step, percent});
}

outcome<group_state> simulated_process::look(const group_key& key) {
  auto found = engine_->all().find(key);
  if (found == engine_->all().end() || !mine(found->second) || found->second.containers.empty())
    return because(errc::unknown_instance, "the engine holds nothing of instance " + key.instance.value);
  watched_.insert(key);
  group_state state;
  state.key = key;
  for (auto& container : found->second.containers)
    state.services.push_back(
        state_of(container, engine_->image(container.plan->spec->services[container.service].image)));
  return state;
}

bool simulated_process::runs(const group_key& key) const {
  auto found = engine_->groups().find(key);
  if (found == engine_->groups().end()) return false;
  return std::any_of(found->second.containers.begin(), found->second.containers.end(),
                     [](auto& one) { return one.running; });
}

void simulated_process::process_ended(const group_key& key, const simulated_container& container) {
  read_on(key);
  if (container.cluster != owner_.cluster || container.node != owner_.node) return;
  if (!watched_.count(key) || expected_.count(key)) return;
  service_exited exit{key, container.plan->spec->services[container.service].name, container.exit_code,
                      container.out_of_memory};
  after(millis(1), [this, exit] { report(exit); });
}

void simulated_process::report(const service_exited& exit) {
  if (!engine_->up())
    unreported_.push_back(exit);
  else if (watcher_)
    watcher_(exit);
}

void simulated_process::changed(bool up) {
  after(millis(1), [this, up] {
    for (auto& exit : up ? std::exchange(unreported_, {}) : std::vector<service_exited>())
      report(exit);
    if (engine_watcher_) engine_watcher_({up});
  });
}

void simulated_process::collect(const group_key& key, const simulated_engine::group& group,
                                std::vector<runtime_object>& objects) {
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
  for (auto& volume : group.volumes)
    extra(object_kind::volume, engine::volume_name(owner_, key, volume));
}

void simulated_process::take_object(const group_key& key, simulated_engine::group& group,
                                    const runtime_object& object) {
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

std::unique_ptr<runtime> make_simulated_runtime(std::shared_ptr<simulated_engine> engine, std::string cluster,
                                                std::string node, simulation_timer later) {
  return std::make_unique<simulated_process>(std::move(engine), std::move(cluster), std::move(node), std::move(later));
}

} // namespace poseidon
