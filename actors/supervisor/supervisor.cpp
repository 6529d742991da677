#include "actors/supervisor/supervisor.hpp"

#include "actors/kit/handlers.hpp"
#include "actors/supervisor/supervisor_state.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {

void supervisor_state::start(supervisor_deps given) {
  deps = std::move(given);
  retry = deps.first_retry;
  kids.emplace(self, [clock = deps.clock] { return clock->boot_now(); });
  kids->on_due_changed([this] {
    if (auto due = kids->next_due()) arm(supervisor_token::children, *due);
  });
  if (deps.make_reaper)
    kids->start({"reaper", [this] { return caf::actor_cast<caf::actor>(deps.make_reaper()); }, deps.reaper_rule,
                 [this](const caf::actor& child) { reaper = caf::actor_cast<reaper_actor>(child); }, {}});
  self->send(deps.runtime, watch_engine{engine_watcher{self}});
  load_journal();
  look_at_engine();
  watch_contact();
}

/// One timer a token; an earlier due time wins.
void supervisor_state::arm(std::uint64_t token, boot_time due) {
  auto [found, first] = armed.try_emplace(token, due);
  if (!first && found->second <= due) return;
  found->second = due;
  self->send(deps.timers, arm_timer{timer_sink{self}, token, due});
}

void supervisor_state::on_timer(const timer_due& due) {
  armed.erase(due.token);
  switch (due.token) {
    case supervisor_token::children:
      kids->on_time();
      if (auto next = kids->next_due()) arm(supervisor_token::children, *next);
      return;
    case supervisor_token::revival: return revive_due();
    case supervisor_token::registration: return register_node();
    case supervisor_token::held: return judge_held();
    case supervisor_token::stopping: return end_children();
    case supervisor_token::engine: return look_at_engine();
    case supervisor_token::subscription: return subscribe();
    case supervisor_token::journal: return load_journal();
    case supervisor_token::drain: return drain_due();
    case supervisor_token::images: return look_at_images();
    case supervisor_token::contact: return watch_contact();
    default: return;
  }
}

void supervisor_state::on_engine(const engine_changed& change) {
  engine_up = change.up;
  if (!change.up) engine_trouble = failure{errc::engine_unavailable, "the engine does not answer", 1'000, {}, {}};
  for (auto& [id, child] : held)
    if (child.actor) self->send(child.actor, change);
  if (reaper) self->send(reaper, change);
  if (change.up) look_at_engine();
}

node_status supervisor_state::status() const {
  node_status s;
  s.node = deps.node;
  s.run = deps.run;
  if (engine) s.runtime = *engine;
  s.capacity = deps.capacity;
  if (engine && s.capacity.memory_bytes == 0) s.capacity.memory_bytes = engine->memory_bytes;
  if (engine && s.capacity.cpu_millis == 0) s.capacity.cpu_millis = engine->cpu_millis;
  if (deps.load) {
    const auto load = deps.load();
    s.cpu_permille = load.cpu_permille;
    s.memory_permille = load.memory_permille;
  }
  s.images = images;
  s.instances = static_cast<std::uint32_t>(held.size());
  s.registered = registered && !superseded;
  if (superseded)
    s.trouble = failure{errc::superseded, "another process runs as node " + deps.node.value, {}, {}, {}};
  else if (!engine_up)
    s.trouble = engine_trouble;
  else if (behind)
    s.trouble = catching_up();
  else if (!registered)
    s.trouble = register_trouble ? register_trouble : failure{errc::rebuilding, "the node is not registered yet", 500, {}, {}};
  return s;
}

instance_actor supervisor_state::actor_of(const instance_id& instance) const {
  auto found = held.find(instance);
  if (found == held.end() || found->second.told_fence) return {};
  return found->second.actor;
}

failure supervisor_state::not_held(const instance_id& instance) const {
  if (shutting_down) return {errc::shutting_down, "the node is shutting down", 1'000, {}, {}};
  if (!adopted) return {errc::rebuilding, "the node is still reading its journal", 500, {}, {}};
  auto found = held.find(instance);
  if (found != held.end() && !found->second.told_fence)
    return {errc::rebuilding, "the instance is being taken over again", 1'000, {}, {}};
  return {errc::unknown_instance, "node " + deps.node.value + " does not hold instance " + instance.value, {}, {}, {}};
}

/// A node that is being emptied keeps nobody longer than was promised.
caf::result<outcome<extended>> supervisor_state::on_extend(const extend_instance& request) {
  if (auto why = may_not_extend()) return outcome<extended>{std::move(*why)};
  if (mode != node_mode::draining || !actor_of(request.instance)) return forward<extended>(request);
  return outcome<extended>{failure{errc::extension_refused, "node " + deps.node.value + " is being drained", {}, {}, {}}};
}

caf::result<outcome<done>> supervisor_state::on_get(const get_instance& request) {
  if (out_of_touch()) return outcome<done>{catching_up()};
  if (actor_of(request.instance)) return outcome<done>{done{}};
  return outcome<done>{not_held(request.instance)};
}

/// Between the removal of a container and the end of its actor, both ways are tried.
caf::result<outcome<log_text>> supervisor_state::on_logs(const read_logs& request) {
  if (!deps.kept_logs) return forward<log_text>(request);
  auto promise = self->make_response_promise<outcome<log_text>>();
  auto deliver = [promise](log_text text) mutable { promise.deliver(outcome<log_text>{std::move(text)}); };
  auto fail = [promise](failure why) mutable { promise.deliver(outcome<log_text>{std::move(why)}); };
  auto read_kept = [this, request, deliver, fail](failure why) mutable {
    if (why.code == errc::unknown_instance || why.code == errc::unknown_outcome)
      ask(self, deps.kept_logs, deps.ask_timeout, request, deliver, [fail, why](failure) mutable { fail(std::move(why)); });
    else
      fail(std::move(why));
  };
  if (auto actor = actor_of(request.instance)) ask(self, actor, deps.list_timeout, request, deliver, read_kept);
  else read_kept(not_held(request.instance));
  return promise;
}

caf::result<outcome<garbage_report>> supervisor_state::on_garbage(const collect_garbage& request) {
  if (!reaper) return outcome<garbage_report>{failure{errc::internal, "this node has no reaper", {}, {}, {}}};
  return self->delegate(reaper, request);
}

caf::result<outcome<done>> supervisor_state::on_shut_down(const shut_down& request) {
  auto promise = self->make_response_promise<outcome<done>>();
  if (shutting_down) {
    promise.deliver(outcome<done>{failure{errc::shutting_down, "the node is shutting down already", {}, {}, {}}});
    return promise;
  }
  shutting_down = true;
  shutdown_promise = promise;
  for (auto& [id, child] : held) child.again_at.reset();
  if (!request.stop_instances || kids->watched() == 0) {
    end_children();
    return promise;
  }
  spdlog::info("supervisor: stopping {} instances", kids->watched());
  for (auto& [id, child] : held)
    if (child.actor)
      ask(
          self, child.actor, deps.stop_limit, stop_instance{id, end_reason::stopped, "shutdown"}, [](done) {}, [](failure) {});
  arm(supervisor_token::stopping, deps.clock->boot_now() + deps.stop_limit);
  return promise;
}

void supervisor_state::end_children() {
  if (ending) return;
  ending = true;
  kids->shut_down(deps.child_grace, [this] {
    if (shutdown_promise) shutdown_promise->deliver(outcome<done>{done{}});
    shutdown_promise.reset();
    self->send(deps.timers, disarm_all{timer_sink{self}});
    self->quit();
  });
}

namespace {

/// The instance's actor hands it on to the runtime, which then speaks with the reader itself.
caf::result<outcome<stream_opened>> open_logs(const supervisor_state& s, const open_log_stream& request) {
  auto actor = s.actor_of(request.what.instance);
  if (!actor) return outcome<stream_opened>{s.not_held(request.what.instance)};
  return s.self->delegate(actor, request);
}

supervisor_actor::behavior_type supervisor_behavior(supervisor_actor::stateful_pointer<supervisor_state> self, supervisor_deps deps) {
  install_handlers(self, "supervisor");
  auto* s = &self->state;
  s->start(std::move(deps));
  return {
      [s](const stop_instance& m) { return s->forward<done>(m); },
      [s](const extend_instance& m) { return s->on_extend(m); },
      [s](const read_logs& m) { return s->on_logs(m); },
      [s](const read_stats& m) { return s->forward<group_stats>(m); },
      [s](const collect_garbage& m) { return s->on_garbage(m); },
      [s](const get_instance& m) { return s->on_get(m); },
      [s](const open_log_stream& m) { return open_logs(*s, m); },
      [s](const ledger_changes& changes) { s->on_changes(changes); },
      [s](const timer_due& due) { s->on_timer(due); },
      [s](const engine_changed& change) { s->on_engine(change); },
      [s](const get_node_status&) { return s->status(); },
      [s](const shut_down& m) { return s->on_shut_down(m); },
  };
}

} // namespace

supervisor_actor spawn_supervisor(caf::actor_system& system, supervisor_deps deps) {
  return system.spawn(supervisor_behavior, std::move(deps));
}

} // namespace poseidon
