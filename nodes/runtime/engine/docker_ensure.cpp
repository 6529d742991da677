// Making a group exist: image, network, containers; adopting what a lost reply has made.

#include "nodes/runtime/engine/docker_core.hpp"

#include <algorithm>

namespace poseidon::engine {

namespace {

bool wants_port(const service_spec& service, std::size_t index) {
  return index == 0 && service.health.kind != health_kind::none;
}

} // namespace

void docker_core::ensure_work::tell(group_step step, std::optional<std::uint32_t> percent) const {
  if (!progress) return;
  group_progress now;
  now.key = plan->key;
  now.step = step;
  now.percent = percent;
  progress(now);
}

task<outcome<group_state>> docker_core::ensure(launch_plan_ptr plan, millis timeout,
                                               std::function<void(const group_progress&)> progress) {
  auto deadline = after(timeout);
  if (!info_) co_return fail(errc::engine_unavailable, "the engine has not been found yet");
  if (!plan->spec || plan->spec->services.empty()) co_return fail(errc::invalid_spec, "a group needs a service");
  auto group = group_at(plan->key);
  auto turn = co_await group->turn.acquire(*io_, deadline);
  if (!turn) co_return fail(errc::engine_timeout, "an earlier call for this instance did not end in time");
  ensure_work work;
  work.plan = plan;
  work.group = group;
  work.deadline = deadline;
  work.progress = std::move(progress);
  group->plan = plan;
  group->complete = false;
  auto problem = co_await ensure_services(work);
  if (problem) co_return problem;
  group->complete = true;
  group_state state;
  state.key = plan->key;
  state.services = std::move(work.states);
  co_return state;
}

task<failure> docker_core::ensure_services(ensure_work& work) {
  auto& spec = *work.plan->spec;
  if (auto problem = write_instance_folder(*work.plan)) co_return problem;
  work.options.owner = owner_;
  work.options.instance_folder = instance_folder(work.plan->key);
  work.options.log_bytes = options_.log_bytes;
  work.options.open_files = open_files_;
  work.options.oci_runtime = options_.oci_runtime;
  if (spec.network == network_mode::isolated) {
    for (auto& service : spec.services) {
      auto problem = co_await prove_isolation(service.runtime, work.deadline);
      if (problem) co_return problem;
    }
  } else {
    auto problem = co_await ensure_network(work);
    if (problem) co_return problem;
  }
  for (std::size_t i = 0; i < spec.services.size(); ++i) {
    auto problem = co_await ensure_container(work, i);
    if (problem) co_return problem;
  }
  co_return failure();
}

task<failure> docker_core::take_place(ensure_work& work) {
  if (!work.place) {
    auto* raw = &work;
    std::function<bool()> give_up = [raw] { return raw->given_up(); };
    work.place = co_await starts_.acquire(*io_, work.deadline, give_up);
  }
  if (work.given_up()) co_return given_up_failure();
  if (!work.place) co_return fail(errc::engine_timeout, "the engine is busy with other starts");
  co_return failure();
}

task<failure> docker_core::ensure_container(ensure_work& work, std::size_t index) {
  auto& service = work.plan->spec->services[index];
  outcome<std::string> id;
  // What was there before (a repeated ensure, a restart of this process) is looked at first: it needs no image.
  bool known = work.group->containers.count(service.name) > 0;
  if (known) id = co_await adopt_or_refuse(work, index);
  if (!known || id.error.code == errc::unknown_instance) id = co_await create_container(work, index);
  if (!id) co_return id.error;
  work.tell(group_step::starting);
  co_await await_noticed_end(*id, work.deadline);
  auto problem = co_await take_place(work);
  if (!problem) problem = co_await start_container(*id, work.deadline);
  if (means_leftover(problem.detail)) {
    // An engine that was killed in the midst of this start has left a task that its successor takes for a stranger's.
    // Nobody was told of it: it goes with its container, and a new one, with an id of its own, meets nothing of it.
    warn("container " + id->substr(0, 12) + " is made anew: " + problem.detail);
    doubtful_.insert(*id);
    problem = co_await remove_container(*id, work.deadline);
    if (problem) co_return problem;
    id = co_await create_container(work, index);
    if (!id) co_return id.error;
    problem = co_await start_container(*id, work.deadline);
  }
  if (problem) co_return problem;
  auto state = co_await started(work.group, work.plan->key, *id, work.deadline);
  if (!state) co_return state.error;
  if (state->ports.empty() && wants_port(service, index))
    co_return fail(errc::invalid_spec, "image " + service.image +
                                           " does not expose exactly one TCP port: list the port under instance.ports");
  work.states.push_back(std::move(*state));
  co_return failure();
}

task<outcome<std::string>> docker_core::create_container(ensure_work& work, std::size_t index) {
  auto& service = work.plan->spec->services[index];
  if (service.pull == pull_mode::always && !work.pulled.count(service.image)) {
    auto problem = co_await ensure_image(work, service);
    if (problem) co_return problem;
  }
  outcome<std::string> id;
  for (int attempt = 0; attempt < 5; ++attempt) {
    id = co_await create_once(work, index);
    if (id) co_return id;
    if (id.error.code == errc::image_missing && service.pull != pull_mode::never && !work.pulled.count(service.image)) {
      auto problem = co_await ensure_image(work, service);
      if (problem) co_return problem;
    } else if (id.error.code == errc::invalid_spec && disk_limits_ &&
               id.error.detail.find("storage-opt") != std::string::npos) {
      warn("this engine's storage can't bound a container's disk: limits.disk has no effect");
      disk_limits_ = false;
    } else if (id.error.code == errc::unknown_instance) {
      // Whoever held the name was on its way out, or a lost create has not happened.
      co_await pause(millis(50), work.deadline);
    } else {
      co_return id;
    }
  }
  if (id.error.code == errc::unknown_instance) id.error.code = errc::engine_error;
  co_return id;
}

/// One create. unknown_instance: nothing exists under the name, try again.
task<outcome<std::string>> docker_core::create_once(ensure_work& work, std::size_t index) {
  auto& service = work.plan->spec->services[index];
  auto problem = co_await take_place(work);
  if (problem) co_return problem;
  work.tell(group_step::creating);
  auto name = container_name(owner_, work.plan->key, service.name);
  if (needs_image_user(service)) {
    auto image = co_await client_->get("/images/" + service.image + "/json", work.deadline);
    if (!image.ok())
      co_return image.missing() ? fail(errc::image_missing, service.image + " is not on this node")
                                : image.why(engine_call::inspect, service.image);
    work.options.image_user = parse_image_user(image.body).value_or("");
  }
  work.options.disk_limits = disk_limits_;
  bool joins = index > 0 && work.plan->spec->network == network_mode::isolated;
  work.options.joins = joins ? container_name(owner_, work.plan->key, work.plan->spec->services.front().name) : "";
  auto body = create_body(*work.plan, index, work.options);
  if (!body) co_return body.error;
  auto reply =
      co_await client_->post("/containers/create?name=" + name, std::move(*body), work.deadline);
  if (reply.ok()) {
    auto id = text_field(reply.body, "Id");
    remember_container(id);
    co_return id;
  }
  auto why = reply.why(engine_call::create, service.image);
  if (reply.ambiguous || why.code == errc::name_conflict) co_return co_await adopt_or_refuse(work, index);
  co_return why;
}

/// The id of the container under this service's name if it is ours by all its labels; unknown_instance when there is
/// none.
task<outcome<std::string>> docker_core::adopt_or_refuse(ensure_work& work, std::size_t index) {
  auto& service = work.plan->spec->services[index];
  auto name = container_name(owner_, work.plan->key, service.name);
  auto found = co_await look_until_known(name, work.deadline);
  if (!found) co_return found.error;
  if (!ours(*found, work.plan->key, service.name))
    co_return fail(errc::name_conflict, "a container named " + name + " exists already and is not this instance's");
  if (found->status == "removing") co_return fail(errc::unknown_instance, name + " is being removed");
  if (found->status == "dead") {
    auto problem = co_await remove_container(found->id, work.deadline);
    co_return problem ? problem : fail(errc::unknown_instance, name + " was half removed");
  }
  remember_container(found->id);
  co_return found->id;
}

task<failure> docker_core::ensure_image(ensure_work& work, const service_spec& service) {
  work.place = limiter::permit();
  work.tell(group_step::pulling, 0);
  auto* raw = &work;
  std::function<bool()> give_up = [raw] { return raw->given_up(); };
  std::function<void(std::uint32_t)> progress = [raw](std::uint32_t percent) {
    raw->tell(group_step::pulling, percent);
  };
  auto problem = co_await pull_shared(service.image, work.deadline, give_up, progress);
  if (work.given_up()) co_return given_up_failure();
  if (!problem) work.pulled.insert(service.image);
  co_return problem;
}

task<failure> docker_core::ensure_network(ensure_work& work) {
  auto name = group_name(owner_, work.plan->key);
  work.options.network = name;
  auto first = static_cast<std::uint32_t>(std::stoul(name.substr(9, 7), nullptr, 16));
  for (std::uint32_t attempt = 0; attempt <= 32; ++attempt) {
    auto subnet = attempt < 32 ? subnet_of(options_.network_pool, (first + attempt) % 4096) : std::string();
    auto body = network_body(*work.plan, owner_, subnet);
    auto reply = co_await client_->post("/networks/create", body, work.deadline);
    if (reply.ok()) co_return failure();
    auto why = reply.why(engine_call::network, name);
    bool overlaps = why.detail.find("overlap") != std::string::npos && !subnet.empty();
    if (overlaps) continue;
    if (why.code != errc::name_conflict && !reply.ambiguous) co_return why;
    auto found = co_await client_->get("/networks/" + name, work.deadline);
    if (found.ok()) {
      auto rows = parse_network_list("[" + found.body + "]");
      bool same = rows && group_of(owner_, rows->front().labels) == work.plan->key;
      co_return same
          ? failure()
          : fail(errc::name_conflict, "a network named " + name + " exists already and is not this instance's");
    }
    if (!found.missing()) co_return found.why(engine_call::network, name);
  }
  co_return fail(errc::engine_error, "no free subnet for the instance's network");
}

} // namespace poseidon::engine
