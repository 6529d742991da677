#include "nodes/runtime/simulated_engine.hpp"

#include "nodes/runtime/engine/names.hpp"

#include <algorithm>
#include <cstdio>

namespace poseidon {

simulated_engine::simulated_engine(simulation_timer later, std::function<wall_time()> now, std::uint64_t seed)
    : later_(std::move(later)), now_(std::move(now)), random_state_(seed) {}

/// splitmix64: the same on every machine, unlike the distributions of <random>.
std::uint64_t simulated_engine::random() {
  auto z = random_state_ += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

simulated_image& simulated_engine::image(const std::string& name) {
  auto found = images.find(name);
  return found == images.end() ? usual_image : found->second;
}

bool simulated_engine::call(std::function<failure(simulated_engine&)> effect, std::function<void(failure)> reply) {
  ++calls_;
  auto spread = static_cast<std::uint64_t>((faults.most_latency - faults.least_latency).count());
  millis latency = faults.least_latency + millis(spread ? static_cast<std::int64_t>(random() % (spread + 1)) : 0);
  if (!up_) {
    later_(latency, [reply = std::move(reply)] {
      reply({errc::engine_unavailable, "the engine is down", {}, {}, {}});
    });
    return true;
  }
  if (happens(faults.failures)) {
    later_(latency, [reply = std::move(reply)] { reply({errc::engine_error, "the engine failed", {}, {}, {}}); });
    return true;
  }
  bool lost = happens(faults.lost_replies), done_when_cut = random() % 2 == 0;
  auto carry_out = [this, effect = std::move(effect), reply = std::move(reply), lost, done_when_cut,
                    generation = generation_] {
    if (generation != generation_) {
      // The engine went down while it was at it.
      if (done_when_cut) effect(*this);
      if (!lost) reply({errc::engine_unavailable, "the engine broke off", {}, {}, {}});
      return;
    }
    auto result = effect(*this);
    if (!lost) reply(std::move(result));
  };
  if (hanging_) {
    held_.push_back(std::move(carry_out));
    return false;
  }
  later_(latency, [this, carry_out = std::move(carry_out)]() mutable {
    if (hanging_)
      held_.push_back(std::move(carry_out));
    else
      carry_out();
  });
  return !lost;
}

void simulated_engine::resume() {
  hanging_ = false;
  auto held = std::exchange(held_, {});
  for (auto& one : held)
    later_(faults.least_latency, std::move(one));
}

template <class Tell> void simulated_engine::tell(Tell tell) {
  std::erase_if(observers_, [](auto& one) { return one.expired(); });
  auto present = observers_;
  for (auto& weak : present)
    if (auto one = weak.lock()) tell(*one);
}

void simulated_engine::go_down() {
  up_ = false;
  ++generation_;
  tell([](observer& one) { one.changed(false); });
}

void simulated_engine::come_back(bool containers_survive) {
  up_ = true;
  ++generation_;
  if (!containers_survive)
    for (auto& [key, group] : groups_)
      for (auto& container : group.containers)
        if (container.running) end(container, 137, false);
  resume();
  tell([](observer& one) { one.changed(true); });
}

bool simulated_engine::crash(const group_key& key, const std::string& service, std::int32_t exit_code,
                             bool out_of_memory) {
  auto found = groups_.find(key);
  if (found == groups_.end()) return false;
  for (auto& container : found->second.containers)
    if (container.running && container.plan->spec->services[container.service].name == service) {
      end(container, exit_code, out_of_memory);
      return true;
    }
  return false;
}

bool simulated_engine::write(const group_key& key, const std::string& service, const std::string& text) {
  auto found = groups_.find(key);
  if (found == groups_.end()) return false;
  for (auto& container : found->second.containers)
    if (container.running && container.plan->spec->services[container.service].name == service) {
      container.output += text;
      tell([&](observer& one) { one.wrote(key); });
      return true;
    }
  return false;
}

std::size_t simulated_engine::running() const {
  std::size_t count = 0;
  for (auto& [key, group] : groups_)
    for (auto& container : group.containers)
      count += container.running;
  return count;
}

simulated_container& simulated_engine::create(const launch_plan_ptr& plan, std::size_t service,
                                              const std::string& cluster, const std::string& node) {
  auto& group = groups_[plan->key];
  for (auto& container : group.containers)
    if (container.service == service) return container;
  group.plan = plan;
  group.cluster = cluster;
  group.node = node;
  group.network = plan->spec->network != network_mode::isolated;
  for (auto& volume : plan->spec->services[service].volumes)
    group.volumes.insert(volume.name);
  auto& container = group.containers.emplace_back();
  char id[65];
  std::snprintf(id, sizeof id, "%016llx%048llx", static_cast<unsigned long long>(random()),
                static_cast<unsigned long long>(++last_id_));
  container.id = container_id{id};
  container.plan = plan;
  container.service = service;
  container.cluster = cluster;
  container.node = node;
  container.created_ms = now_().ms;
  return container;
}

void simulated_engine::start(simulated_container& container) {
  if (container.running) return;
  auto& behaviour = image(container.plan->spec->services[container.service].image);
  container.running = true;
  container.out_of_memory = false;
  container.exit_code = 0;
  container.pid = ++last_pid_;
  container.start_ticks = static_cast<std::uint64_t>(now_().ms) * 100 + static_cast<std::uint64_t>(container.pid);
  container.output += behaviour.output;
  if (behaviour.exits_at_start)
    end(container, *behaviour.exits_at_start, false);
  else if (behaviour.out_of_memory_at_start)
    end(container, 137, true);
  if (!behaviour.output.empty()) tell([&, key = container.plan->key](observer& one) { one.wrote(key); });
}

void simulated_engine::end(simulated_container& container, std::int32_t exit_code, bool out_of_memory) {
  container.running = false;
  container.exit_code = exit_code;
  container.out_of_memory = out_of_memory;
  auto copy = container;
  tell([&](observer& one) { one.ended(copy.plan->key, copy); });
}

} // namespace poseidon
