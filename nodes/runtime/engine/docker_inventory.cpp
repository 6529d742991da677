// What exists in the engine and is ours.

#include "nodes/runtime/engine/docker_core.hpp"

#include <algorithm>

namespace poseidon::engine {

namespace {

constexpr millis images_age{60000};
constexpr std::size_t most_images = 256;

std::int64_t age_of(const listed_object& row) {
  if (row.created_unix_ms == 0) return 0;
  auto now = std::chrono::duration_cast<millis>(std::chrono::system_clock::now().time_since_epoch()).count();
  return std::max<std::int64_t>(0, now - row.created_unix_ms);
}

std::map<std::string, std::string> only_ours(const std::map<std::string, std::string>& all) {
  std::map<std::string, std::string> some;
  for (auto& [name, value] : all)
    if (name.starts_with("poseidon.")) some[name] = value;
  return some;
}

runtime_object to_object(object_kind kind, const listed_object& row) {
  runtime_object object;
  object.kind = kind;
  object.id = row.id;
  object.name = row.name;
  object.labels = only_ours(row.labels);
  object.age_ms = age_of(row);
  return object;
}

} // namespace

service_state docker_core::state_of(const group_record& group, const container_info& container) const {
  auto state = to_service_state(container);
  auto found = group.containers.find(state.service);
  if (found == group.containers.end() || found->second->id != container.id) return state;
  auto port = state.where.port;
  state.running = state.running && found->second->running;
  state.where = found->second->where;
  state.where.port = port;
  return state;
}

/// The state of a listed container: as we hold it when it runs, else as the engine describes it.
task<failure> docker_core::describe(listed_object row, runtime_object& object, steady_time deadline) {
  if (auto found = by_id_.find(row.id); found != by_id_.end() && row.state == "running") {
    auto& container = *found->second;
    if (container.running && container.pidfd && !container.state.image_health) {
      object.running = true;
      object.state = container.state;
      co_return failure();
    }
  }
  auto container = co_await look(row.id, deadline);
  if (!container) co_return container.error;
  object.running = container->running;
  object.state = to_service_state(*container);
  auto key = group_of(owner_, row.labels);
  if (!key || going(*key, row.id)) co_return failure();
  auto group = group_at(*key);
  track(group, *key, *container);
  object.state = state_of(*group, *container);
  co_return failure();
}

/// True for what is being removed, or has been: a list that was asked for earlier may still tell of it.
bool docker_core::going(const group_key& key, const std::string& id) const {
  auto group = known_group(key);
  return (group && group->removing) || std::find(gone_.begin(), gone_.end(), id) != gone_.end();
}

/// Asked of the engine once a minute, and after each pull: a list of hundreds of images costs it tens of milliseconds.
task<outcome<std::vector<std::string>>> docker_core::list_images() {
  if (!info_) co_return fail(errc::engine_unavailable, "the engine has not been found yet");
  if (images_until_ && std::chrono::steady_clock::now() < *images_until_) co_return images_;
  images_until_ = after(images_age); // a pull that ends meanwhile takes it back
  auto reply = co_await client_->get("/images/json", after(millis(10000)));
  auto names = reply.ok() ? parse_image_list(reply.body, most_images) : std::nullopt;
  if (!names) {
    images_until_.reset();
    co_return reply.why(engine_call::other, "list of images");
  }
  images_ = std::move(*names);
  co_return images_;
}

task<outcome<std::vector<runtime_object>>> docker_core::list() {
  auto deadline = after(millis(30000));
  auto filter = url_encode(label_filter(owner_));
  std::vector<runtime_object> objects;
  auto containers = co_await client_->get("/containers/json?all=1&filters=" + filter, deadline);
  auto rows = containers.ok() ? parse_container_list(containers.body) : std::nullopt;
  if (!rows) co_return containers.why(engine_call::other, "list of containers");
  std::set<std::string> ids;
  for (auto& row : *rows) {
    ids.insert(row.id);
    auto object = to_object(object_kind::container, row);
    auto problem = co_await describe(row, object, deadline);
    if (problem.code == errc::unknown_instance) continue;
    if (problem) co_return problem;
    objects.push_back(std::move(object));
  }
  auto networks = co_await client_->get("/networks?filters=" + filter, deadline);
  rows = networks.ok() ? parse_network_list(networks.body) : std::nullopt;
  if (!rows) co_return networks.why(engine_call::other, "list of networks");
  for (auto& row : *rows)
    objects.push_back(to_object(object_kind::network, row));
  auto volumes = co_await client_->get("/volumes?filters=" + filter, deadline);
  rows = volumes.ok() ? parse_volume_list(volumes.body) : std::nullopt;
  if (!rows) co_return volumes.why(engine_call::other, "list of volumes");
  for (auto& row : *rows)
    objects.push_back(to_object(object_kind::volume, row));
  for (auto& shim : find_shims(ids))
    objects.push_back(std::move(shim));
  co_return objects;
}

task<outcome<group_state>> docker_core::look_at_group(group_ptr group, group_key key, steady_time deadline) {
  std::vector<tracked_ptr> all;
  for (auto& [name, container] : group->containers)
    all.push_back(container);
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a->order < b->order; });
  group_state state;
  state.key = key;
  for (auto& container : all) {
    auto now = co_await look(container->id, deadline);
    if (!now && now.error.code == errc::unknown_instance) continue;
    if (!now) co_return now.error;
    track(group, key, *now);
    state.services.push_back(state_of(*group, *now));
  }
  if (state.services.empty())
    co_return fail(errc::unknown_instance, "the engine holds nothing of instance " + key.instance.value);
  co_return state;
}

task<outcome<group_state>> docker_core::inspect(group_key key) {
  auto deadline = after(millis(10000));
  auto group = group_at(key);
  auto problem = co_await find_containers(group, key, deadline);
  if (problem) {
    drop_if_idle(key);
    co_return problem;
  }
  co_return co_await look_at_group(group, key, deadline);
}

task<outcome<group_stats>> docker_core::stats(group_key key) {
  auto deadline = after(millis(10000));
  auto group = group_at(key);
  auto problem = co_await find_containers(group, key, deadline);
  if (problem) {
    drop_if_idle(key);
    co_return problem;
  }
  group_stats sum;
  std::vector<tracked_ptr> all;
  for (auto& [name, container] : group->containers)
    all.push_back(container);
  for (auto& container : all) {
    auto reply = co_await client_->get("/containers/" + container->id + "/stats?stream=false&one-shot=true", deadline);
    if (!reply.ok()) co_return reply.why(engine_call::other, container->service);
    auto one = parse_stats(reply.body);
    if (!one) co_return fail(errc::engine_error, "the engine's statistics can't be read");
    sum.memory_bytes += one->memory_bytes;
    sum.memory_limit_bytes += one->memory_limit_bytes;
    sum.cpu_usage_ns += one->cpu_usage_ns;
    sum.pids += one->pids;
  }
  co_return sum;
}

} // namespace poseidon::engine
