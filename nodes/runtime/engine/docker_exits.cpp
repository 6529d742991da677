// Seeing services end: by pidfd at once, by the engine's events, and by a list now and then as the net below both.

#include "nodes/runtime/engine/docker_core.hpp"

#include "nodes/runtime/engine/events.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <charconv>

namespace poseidon::engine {

bool docker_core::track(group_ptr group, const group_key& key, const container_info& container, bool sure) {
  auto label = [&](const char* name) {
    auto found = container.labels.find(name);
    return found == container.labels.end() ? std::string() : found->second;
  };
  auto service = label(labels::service);
  auto& place = group->containers[service];
  bool same = place && place->id == container.id;
  if (same && container.running && place->running && place->where.pid == container.pid) {
    place->state = state_of(*group, container);
    return true;
  }
  auto next = std::make_shared<tracked_container>();
  next->key = key;
  next->service = service;
  next->name = container.name;
  next->id = container.id;
  next->stop_signal = container.stop_signal;
  next->since = std::chrono::steady_clock::now();
  auto order = label(order_label);
  std::from_chars(order.data(), order.data() + order.size(), next->order);
  next->where.container = container_id{container.id};
  if (container.running) {
    auto hold = hold_process(container.pid, container.id);
    if (hold.result == hold_result::gone && !sure) {
      if (!place) group->containers.erase(service);
      return false;
    }
    next->running = true;
    next->where.pid = container.pid;
    next->where.start_ticks = hold.start_ticks;
    next->where.cgroup = hold.cgroup;
    if (hold.result == hold_result::held)
      next->pidfd = std::make_unique<asio::posix::stream_descriptor>(*io_, hold.pidfd);
    else
      warn("process " + std::to_string(container.pid) + " of " + container.name +
           " can't be held: its end is seen by events and lists only");
  }
  if (place) by_id_.erase(place->id);
  place = next;
  by_id_[next->id] = next;
  next->state = state_of(*group, container);
  if (next->pidfd) watch_pidfd(next);
  return true;
}

void docker_core::watch_pidfd(tracked_ptr container) {
  std::weak_ptr<tracked_container> weak = container;
  container->pidfd->async_wait(asio::posix::stream_descriptor::wait_read,
                               [this, weak](const boost::system::error_code& error) {
                                 auto alive = weak.lock();
                                 if (!error && alive) process_ended(alive);
                               });
}

void docker_core::process_ended(tracked_ptr container) {
  if (!container->running) return;
  container->running = false;
  container->pidfd.reset();
  if (auto group = known_group(container->key)) group->changed.notify_all();
  if (!container->expected) asio::co_spawn(*io_, report_exit(container), asio::detached);
}

/// Tells the watcher, once the engine knows the exit code. While the engine is away it is asked again: nobody could
/// start the service anew without it anyway.
task<void> docker_core::report_exit(tracked_ptr container) {
  auto group = known_group(container->key);
  if (!group) co_return;
  auto turn = co_await group->turn.acquire(*io_, after(std::chrono::hours(1)));
  turn = limiter::permit(); // only the order matters: a call under way may have ended or replaced it
  service_exited exit;
  exit.key = container->key;
  exit.service = container->service;
  exit.exit_code = 137;
  for (;;) {
    if (container->expected || !by_id_.count(container->id) || by_id_[container->id] != container) co_return;
    auto waited = co_await client_->post("/containers/" + container->id + "/wait", "", after(options_.call_timeout));
    auto now = co_await look(container->id, after(options_.call_timeout));
    if (now && now->running) {
      // Somebody else has started it again (an administrator): it is simply watched again.
      track(group, container->key, *now, true);
      co_return;
    }
    if (now) {
      exit.exit_code = now->exit_code;
      exit.out_of_memory = now->out_of_memory;
      break;
    }
    if (now.error.code == errc::unknown_instance) break;
    co_await engine_back_.wait(*io_, after(millis(1000)));
  }
  if (container->expected) co_return;
  if (watcher) watcher(exit);
}

void docker_core::handle_event(const std::string& text) {
  auto event = parse_event(text);
  if (!event || (event->action != "die" && event->action != "destroy")) return;
  auto found = by_id_.find(event->id);
  // A held process tells of its own end, earlier and surely.
  if (found == by_id_.end() || found->second->pidfd) return;
  process_ended(found->second);
}

task<void> docker_core::follow_events() {
  auto filter = label_filter(owner_);
  filter.insert(1, R"("type":["container"],"event":["die","destroy"],)");
  http_request request;
  request.target = "/events?filters=" + url_encode(filter);
  millis wait{100};
  for (;;) {
    auto splitter = std::make_shared<json_splitter>();
    auto control = std::make_shared<stream_control>();
    auto begun = std::chrono::steady_clock::now();
    std::function<bool(std::string_view)> sink = [this, splitter](std::string_view bytes) {
      for (auto& text : splitter->feed(bytes))
        handle_event(text);
      return true;
    };
    auto reply = co_await client_->stream(request, steady_time::max(), millis(0), control, sink);
    if (std::chrono::steady_clock::now() - begun > std::chrono::seconds(5)) wait = millis(100);
    warn("the engine's events broke off: " + (reply.fault ? reply.fault.detail : std::string("end of stream")));
    client_->drop_idle();
    if (engine_watcher) engine_watcher({false});
    for (;;) {
      co_await pause(wait, steady_time::max());
      wait = std::min(wait * 2, millis(5000));
      auto agreed = co_await client_->negotiate(after(millis(5000)));
      if (agreed) break;
    }
    engine_back_.notify_all();
    co_await sweep();
    if (engine_watcher) engine_watcher({true});
  }
}

task<void> docker_core::sweep_forever() {
  for (;;) {
    co_await pause(options_.list_period, steady_time::max());
    co_await sweep();
  }
}

/// One list: ends that nobody told of, and containers that a lost create made after their group was removed.
task<void> docker_core::sweep() {
  auto asked = std::chrono::steady_clock::now();
  auto reply =
      co_await client_->get("/containers/json?all=1&filters=" + url_encode(label_filter(owner_)), after(options_.call_timeout));
  auto rows = reply.ok() ? parse_container_list(reply.body) : std::nullopt;
  if (!rows) co_return;
  std::set<std::string> running;
  for (auto& row : *rows) {
    if (row.state != "exited" && row.state != "created" && row.state != "dead") running.insert(row.id);
    auto key = group_of(owner_, row.labels);
    if (!key || known_group(*key) || std::find(removed_.begin(), removed_.end(), *key) == removed_.end()) continue;
    auto problem = co_await remove_container(row.id, after(options_.call_timeout));
    if (problem) warn("a container that came too late can't be removed: " + problem.detail);
  }
  std::vector<tracked_ptr> ended;
  for (auto& [id, container] : by_id_)
    if (container->running && container->since < asked && !running.count(id)) ended.push_back(container);
  for (auto& container : ended)
    process_ended(container);
}

} // namespace poseidon::engine
