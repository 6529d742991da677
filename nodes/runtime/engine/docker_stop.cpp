// Ending a group, and taking away what it leaves.

#include "nodes/runtime/engine/docker_core.hpp"

#include <algorithm>
#include <csignal>

namespace poseidon::engine {

namespace {

/// Makes an ensure under way give up, from now until this call has its turn.
class ender {
public:
  ender(group_ptr group, limiter& starts, std::map<std::string, std::shared_ptr<pull_record>>& pulls)
      : group_(std::move(group)) {
    ++group_->enders;
    group_->changed.notify_all();
    starts.poke();
    for (auto& [image, pull] : pulls)
      pull->changed.notify_all();
  }
  ender(const ender&) = delete;
  ~ender() { done(); }
  void done() {
    if (group_) --group_->enders;
    group_.reset();
  }

private:
  group_ptr group_;
};

/// The engine's full id, not a name.
bool is_id(const std::string& name_or_id) {
  return name_or_id.size() == 64 && name_or_id.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// A flag that is set while this lives; the group that it belongs to lives longer.
class mark {
public:
  explicit mark(bool& flag) : flag_(flag) { flag_ = true; }
  mark(const mark&) = delete;
  ~mark() { flag_ = false; }

private:
  bool& flag_;
};

} // namespace

/// Notes every container of the group that the engine holds.
task<failure> docker_core::find_containers(group_ptr group, group_key key, steady_time deadline) {
  if (group->complete) co_return failure();
  auto filter = url_encode(label_filter(owner_, &key));
  auto reply = co_await client_->get("/containers/json?all=1&filters=" + filter, deadline);
  auto rows = reply.ok() ? parse_container_list(reply.body) : std::nullopt;
  if (!rows) co_return reply.why(engine_call::other, "");
  for (auto& row : *rows) {
    auto container = co_await look(row.id, deadline);
    if (container)
      track(group, key, *container);
    else if (container.error.code != errc::unknown_instance)
      co_return container.error;
  }
  if (group->containers.empty())
    co_return fail(errc::unknown_instance, "the engine holds nothing of instance " + key.instance.value);
  co_return failure();
}

task<outcome<done>> docker_core::stop(group_key key, std::string signal, millis grace) {
  auto deadline = after(grace + millis(10000));
  auto group = group_at(key);
  ender end(group, starts_, pulling_);
  auto turn = co_await group->turn.acquire(*io_, deadline);
  if (!turn) co_return fail(errc::engine_timeout, "an earlier call for this instance did not end in time");
  end.done();
  auto problem = co_await find_containers(group, key, deadline);
  if (problem.code == errc::unknown_instance) co_return done();
  if (problem) co_return problem;
  std::vector<tracked_ptr> running;
  for (auto& [name, container] : group->containers)
    if (container->running) running.push_back(container);
  for (auto& container : running)
    container->expected = true;
  if (grace.count() > 0) {
    for (auto& container : running) {
      auto number = signal_number(!signal.empty() ? signal : container->stop_signal).value_or(SIGTERM);
      co_await signal_container(container, number, deadline);
    }
    if (co_await wait_all_ended(group, after(grace))) co_return done();
  }
  for (auto& container : running)
    if (container->running) co_await signal_container(container, SIGKILL, deadline);
  if (co_await wait_all_ended(group, deadline)) co_return done();
  co_return fail(errc::engine_timeout, "a process of the instance did not end after KILL");
}

task<void> docker_core::signal_container(tracked_ptr container, int signal, steady_time deadline) {
  bool sent = false;
  if (options_.signal && container->pidfd) {
    auto& send = options_.signal;
    auto where = container->where;
    auto begin = [&send, where, signal](std::function<void(failure)> answer) {
      send(where, signal, std::move(answer));
    };
    auto late = fail(errc::engine_timeout, "the signal was not sent in time");
    auto result = co_await await_callback<failure>(*io_, sooner(deadline, millis(1000)), begin, late);
    sent = !result || result.code == errc::service_died;
  } else if (container->pidfd) {
    auto error = send_signal(container->pidfd->native_handle(), signal);
    sent = error == 0 || error == ESRCH;
  }
  if (sent) co_return;
  // Without privilege, or without a hold on the process, the engine does it.
  auto path = "/containers/" + container->id + "/kill?signal=" + std::to_string(signal);
  auto reply = co_await client_->post(path, "", deadline);
  if (!reply.ok() && !reply.missing() && reply.status != 409)
    warn("signal " + std::to_string(signal) + " to " + container->name + ": " +
         reply.why(engine_call::other, "").detail);
}

task<bool> docker_core::wait_all_ended(group_ptr group, steady_time deadline) {
  for (;;) {
    bool all_held = true, any = false;
    std::vector<tracked_ptr> unheld;
    for (auto& [name, container] : group->containers) {
      any = any || container->running;
      if (container->running && !container->pidfd) unheld.push_back(container);
    }
    if (!any) co_return true;
    for (auto& container : unheld) {
      all_held = false;
      auto now = co_await look(container->id, deadline);
      if ((now && !now->running) || now.error.code == errc::unknown_instance) process_ended(container);
    }
    if (std::chrono::steady_clock::now() >= deadline) co_return false;
    bool still =
        std::any_of(group->containers.begin(), group->containers.end(), [](auto& one) { return one.second->running; });
    if (!still) co_return true;
    co_await group->changed.wait(*io_, all_held ? deadline : sooner(deadline, millis(50)));
  }
}

task<outcome<done>> docker_core::remove(group_key key) {
  auto deadline = after(millis(30000));
  auto group = group_at(key);
  ender end(group, starts_, pulling_);
  auto turn = co_await group->turn.acquire(*io_, deadline);
  if (!turn) co_return fail(errc::engine_timeout, "an earlier call for this instance did not end in time");
  end.done();
  mark removing(group->removing);
  auto place = co_await removes_.acquire(*io_, deadline);
  if (!place) co_return fail(errc::engine_timeout, "the engine is busy with other removals");
  std::vector<tracked_ptr> all;
  for (auto& [name, container] : group->containers)
    all.push_back(container);
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a->order > b->order; });
  for (auto& container : all)
    container->expected = true;
  for (auto& container : all) {
    auto problem = co_await remove_container(container->id, deadline);
    if (problem) co_return problem;
    by_id_.erase(container->id);
    group->containers.erase(container->service);
  }
  auto problem = co_await remove_leftovers(group, key, deadline);
  if (problem) co_return problem;
  remove_instance_folder(key);
  removed_.push_back(key);
  if (removed_.size() > 4096) removed_.pop_front();
  group->complete = false;
  group->plan.reset();
  turn = limiter::permit();
  drop_if_idle(key);
  co_return done();
}

/// What a group has beside the containers that we know.
task<failure> docker_core::remove_leftovers(group_ptr group, group_key key, steady_time deadline) {
  // By label, never by name: a name that was asked for may have turned out to be somebody else's.
  if (!group->complete || !group->plan) co_return co_await remove_by_label(key, deadline);
  if (group->plan->spec->network != network_mode::isolated) {
    auto problem = co_await remove_network(group_name(owner_, key), deadline);
    if (problem) co_return problem;
  }
  for (auto& service : group->plan->spec->services)
    for (auto& volume : service.volumes) {
      auto problem = co_await remove_volume(volume_name(owner_, key, volume.name), deadline);
      if (problem) co_return problem;
    }
  co_return failure();
}

task<failure> docker_core::remove_by_label(const group_key& key, steady_time deadline) {
  auto filter = url_encode(label_filter(owner_, &key));
  auto containers = co_await client_->get("/containers/json?all=1&filters=" + filter, deadline);
  if (!containers.ok()) co_return containers.why(engine_call::other, "");
  for (auto& row : parse_container_list(containers.body).value_or(std::vector<listed_object>())) {
    auto problem = co_await remove_container(row.id, deadline);
    if (problem) co_return problem;
  }
  auto networks = co_await client_->get("/networks?filters=" + filter, deadline);
  if (!networks.ok()) co_return networks.why(engine_call::other, "");
  for (auto& row : parse_network_list(networks.body).value_or(std::vector<listed_object>())) {
    auto problem = co_await remove_network(row.id, deadline);
    if (problem) co_return problem;
  }
  auto volumes = co_await client_->get("/volumes?filters=" + filter, deadline);
  if (!volumes.ok()) co_return volumes.why(engine_call::other, "");
  for (auto& row : parse_volume_list(volumes.body).value_or(std::vector<listed_object>())) {
    auto problem = co_await remove_volume(row.name, deadline);
    if (problem) co_return problem;
  }
  co_return failure();
}

/// Deletes, and deletes again while the engine is busy with it or away: a removal may be repeated as often as one
/// likes.
task<failure> docker_core::remove_container(std::string name_or_id, steady_time deadline) {
  auto until = sooner(deadline, settle_time);
  millis wait{20};
  for (int attempt = 0;; ++attempt) {
    auto reply = co_await client_->remove("/containers/" + name_or_id + "?force=1&v=1", until);
    if (reply.ok() || reply.missing()) {
      gone_.push_back(name_or_id);
      if (gone_.size() > 1024) gone_.pop_front();
      // What the engine does not know (any more), or was killed in the midst of starting, may run on unseen.
      bool unseen = doubtful_.erase(name_or_id) > 0 || (reply.missing() && is_id(name_or_id));
      if (unseen) co_return co_await end_forgotten(name_or_id, deadline);
      co_return failure();
    }
    bool busy = reply.fault || reply.status == 409 || attempt < 3;
    if (!busy || std::chrono::steady_clock::now() + wait >= until) co_return reply.why(engine_call::remove, name_or_id);
    co_await pause(wait, until);
    wait = std::min(wait * 2, millis(500));
  }
}

task<failure> docker_core::remove_network(std::string name_or_id, steady_time deadline) {
  for (int attempt = 0;; ++attempt) {
    auto reply = co_await client_->remove("/networks/" + name_or_id, deadline);
    if (reply.ok() || reply.missing()) co_return failure();
    if (attempt == 5) co_return reply.why(engine_call::remove, name_or_id);
    co_await pause(millis(50), deadline); // an endpoint of a container just removed
  }
}

task<failure> docker_core::remove_volume(std::string name, steady_time deadline) {
  for (int attempt = 0;; ++attempt) {
    auto reply = co_await client_->remove("/volumes/" + name, deadline);
    if (reply.ok() || reply.missing()) co_return failure();
    if (attempt == 5) co_return reply.why(engine_call::remove, name);
    co_await pause(millis(50), deadline);
  }
}

task<outcome<done>> docker_core::remove_object(runtime_object object) {
  auto deadline = after(millis(30000));
  failure problem;
  switch (object.kind) {
  case object_kind::container: {
    if (auto found = by_id_.find(object.id); found != by_id_.end()) found->second->expected = true;
    auto place = co_await removes_.acquire(*io_, deadline);
    if (!place) co_return fail(errc::engine_timeout, "the engine is busy with other removals");
    problem = co_await remove_container(object.id, deadline);
    if (problem) break;
    if (auto found = by_id_.find(object.id); found != by_id_.end()) {
      auto tracked = found->second;
      if (auto group = known_group(tracked->key)) group->containers.erase(tracked->service);
      by_id_.erase(object.id);
    }
    if (auto key = group_of(owner_, object.labels); key && !known_group(*key)) remove_instance_folder(*key);
    break;
  }
  case object_kind::network:
    problem = co_await remove_network(object.id, deadline);
    break;
  case object_kind::volume:
    problem = co_await remove_volume(object.name, deadline);
    break;
  case object_kind::shim: {
    // Its file stays until a later list finds no shim: the end is seen, not believed.
    problem = co_await end_forgotten(object.id, deadline);
    break;
  }
  }
  if (problem) co_return problem;
  co_return done();
}

} // namespace poseidon::engine
