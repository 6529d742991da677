// Starting containers, once or again, and looking at what has started.

#include "nodes/runtime/engine/docker_core.hpp"

#include "nodes/runtime/engine/log_frames.hpp"

#include <algorithm>

namespace poseidon::engine {

/// A process that we saw end runs, for the engine, a moment longer: a start in between would be answered with "it
/// runs".
task<void> docker_core::await_noticed_end(std::string id, steady_time deadline) {
  auto found = by_id_.find(id);
  if (found == by_id_.end() || found->second->running || found->second->where.pid == 0) co_return;
  co_await client_->post("/containers/" + id + "/wait", "", deadline);
}

task<failure> docker_core::start_container(std::string id, steady_time deadline) {
  for (int unanswered = 0; unanswered < 3;) {
    auto reply = co_await client_->post("/containers/" + id + "/start", "", deadline);
    if (reply.ok() || reply.status == 304) {
      doubtful_.erase(id);
      co_return failure();
    }
    if (!reply.ambiguous) co_return reply.why(engine_call::start, "");
    ++unanswered;
    doubtful_.insert(id);
    auto now = co_await look_until_known(id, deadline);
    if (!now) co_return now.error;
    if (now->status != "created") co_return failure(); // it has run; whether it still does is looked at next
  }
  co_return fail(errc::engine_timeout, "the engine did not say whether the container was started");
}

/// As ensure_container does with a task that a killed engine has left, but the container, which has run before, keeps its
/// files: it is started as soon as containerd has cleared up after the shim, which it does in its own time and tells
/// nobody; the engine's answer to the next start does.
task<failure> docker_core::start_over_leftover(std::string id, failure why, steady_time deadline) {
  warn("container " + id.substr(0, 12) + " has a task that the engine does not know: " + why.detail);
  auto until = sooner(deadline, settle_time);
  while (means_leftover(why.detail) && std::chrono::steady_clock::now() < until) {
    auto problem = co_await end_forgotten(id, until);
    if (problem) co_return problem;
    auto reply = co_await client_->post("/containers/" + id + "/start", "", deadline);
    if (reply.ok() || reply.status == 304) {
      doubtful_.erase(id);
      co_return failure();
    }
    why = reply.why(engine_call::start, "");
    co_await pause(millis(20), until);
  }
  co_return why;
}

task<outcome<container_info>> docker_core::look(std::string name_or_id, steady_time deadline) {
  auto reply = co_await client_->get("/containers/" + name_or_id + "/json", deadline);
  if (!reply.ok()) co_return reply.why(engine_call::inspect, "");
  auto container = parse_container(reply.body);
  if (!container)
    co_return fail(errc::engine_error, "the engine's description of container " + name_or_id + " can't be read");
  co_return std::move(*container);
}

/// As look, but an engine that is away (restarting) is waited for.
task<outcome<container_info>> docker_core::look_until_known(std::string name_or_id, steady_time deadline) {
  auto until = sooner(deadline, settle_time);
  millis wait{25};
  for (;;) {
    auto container = co_await look(name_or_id, until);
    bool away = container.error.code == errc::engine_unavailable || container.error.code == errc::engine_timeout;
    if (!away || std::chrono::steady_clock::now() + wait >= until) co_return container;
    co_await pause(wait, until);
    wait = std::min(wait * 2, millis(1000));
  }
}

/// A container that was just started: its state, or why it has ended already.
task<outcome<service_state>> docker_core::started(group_ptr group, group_key key, std::string id,
                                                  steady_time deadline) {
  for (int attempt = 0;; ++attempt) {
    auto container = co_await look_until_known(id, deadline);
    if (!container) co_return container.error;
    // The engine learns of an end later than we do: give it the time to notice before it is believed.
    bool believed = attempt >= 25;
    if (!container->running) {
      track(group, key, *container);
      co_return co_await early_exit(*container, deadline);
    }
    if (track(group, key, *container, believed)) co_return state_of(*group, *container);
    co_await pause(millis(20), deadline);
  }
}

task<failure> docker_core::early_exit(const container_info& container, steady_time deadline) {
  auto reply = co_await client_->get("/containers/" + container.id + "/logs?stdout=1&stderr=1&tail=20",
                                     deadline);
  std::string text;
  if (reply.ok()) {
    log_demux demux;
    for (auto& piece : demux.feed(reply.body))
      text += piece.text;
  }
  co_return map_early_exit(container.exit_code, container.out_of_memory, container.error, tail_of(text, 20, 4096));
}

task<outcome<group_state>> docker_core::start_again(group_key key, millis timeout) {
  auto deadline = after(timeout);
  if (!info_) co_return fail(errc::engine_unavailable, "the engine has not been found yet");
  auto group = group_at(key);
  auto turn = co_await group->turn.acquire(*io_, deadline);
  if (!turn) co_return fail(errc::engine_timeout, "an earlier call for this instance did not end in time");
  auto problem = co_await find_containers(group, key, deadline);
  if (problem) co_return problem;
  problem = co_await start_in_order(group, key, deadline);
  if (problem) co_return problem;
  co_return co_await look_at_group(group, key, deadline);
}

task<failure> docker_core::start_in_order(group_ptr group, group_key key, steady_time deadline) {
  auto* raw = group.get();
  std::function<bool()> give_up = [raw] { return raw->enders > 0; };
  auto place = co_await starts_.acquire(*io_, deadline, give_up);
  if (!place)
    co_return give_up() ? given_up_failure() : fail(errc::engine_timeout, "the engine is busy with other starts");
  std::vector<tracked_ptr> all;
  for (auto& [name, container] : group->containers)
    all.push_back(container);
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a->order < b->order; });
  bool namespace_is_new = false;
  for (auto& container : all) {
    co_await await_noticed_end(container->id, deadline);
    auto now = co_await look_until_known(container->id, deadline);
    if (!now) co_return now.error;
    bool joined = now->network_mode.starts_with("container:");
    if (now->running && !(joined && namespace_is_new)) continue;
    if (now->running) {
      // It lives in the network namespace of a process that is gone.
      container->expected = true;
      auto reply =
          co_await client_->post("/containers/" + container->id + "/restart?t=0", "", deadline);
      if (!reply.ok()) co_return reply.why(engine_call::start, "");
    } else {
      auto problem = co_await start_container(container->id, deadline);
      if (means_leftover(problem.detail)) problem = co_await start_over_leftover(container->id, problem, deadline);
      if (problem) co_return problem;
    }
    namespace_is_new = namespace_is_new || container->order == 0;
    auto state = co_await started(group, key, container->id, deadline);
    if (!state) co_return state.error;
  }
  co_return failure();
}

} // namespace poseidon::engine
