#include "actors/runtime/runtime.hpp"

#include "actors/kit/handlers.hpp"
#include "actors/kit/port_calls.hpp"
#include "actors/runtime/log_source.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

using adapter = runtime_actor::extend<reacts_to<port_event>, reacts_to<timer_due>>;
template <class T>
using reply = caf::typed_response_promise<outcome<T>>;

constexpr std::uint64_t expiry_token = 1, start_token = 2;
// What the port promises (runtime_port.hpp).
constexpr millis start_limit{60'000}, stop_extra{10'000}, remove_limit{30'000}, list_limit{30'000}, quick_limit{10'000};

/// A log's end, gathered on the port's thread.
struct gathered_log {
  std::string text;
  bool cut = false;
  void add(const std::string& chunk, std::size_t most) {
    text += chunk;
    if (text.size() <= 2 * most) return;
    text.erase(0, text.size() - most);
    cut = true;
  }
  std::string take(std::size_t most) {
    if (text.size() > most) {
      text.erase(0, text.size() - most);
      cut = true;
    }
    if (cut) text.erase(0, std::min(text.find('\n') + 1, text.size())); // from a whole line on
    return std::move(text);
  }
};

struct adapter_state {
  adapter::pointer self;
  runtime_deps deps;
  port_calls calls;
  std::optional<boot_time> expiry_armed;
  std::optional<runtime_info> info;
  failure trouble{errc::engine_unavailable, "the engine is being looked for", 500, {}, {}};
  millis retry{0};
  std::map<group_key, caf::weak_actor_ptr> watchers;
  std::vector<engine_watcher> engine_watchers;
  std::shared_ptr<std::atomic<std::size_t>> open_streams = std::make_shared<std::atomic<std::size_t>>(0);

  explicit adapter_state(adapter::pointer me) : self(me), calls(me, "the engine") {}
  ~adapter_state() { calls.fail_all({errc::shutting_down, "the runtime has ended", {}, {}, {}}); }

  void start(runtime_deps given) {
    deps = std::move(given);
    retry = deps.first_retry;
    auto to_self = calls.to_self();
    deps.port->watch([this, to_self](const service_exited& e) { to_self.post([this, e] { exited(e); }); });
    deps.port->watch_engine([this, to_self](const engine_changed& e) { to_self.post([this, e] { engine(e); }); });
    start_port();
  }

  void start_port() {
    deps.port->start(open_with<runtime_info>(start_limit, [this](outcome<runtime_info> answer) {
      if (!answer) return start_failed(std::move(answer.error));
      info = std::move(*answer);
      spdlog::info("runtime: {}", info->engine);
      engine({true});
    }));
  }

  void start_failed(failure why) {
    if (why.code != trouble.code || why.detail != trouble.detail) spdlog::error("runtime: {}: {}", to_string(why.code), why.detail);
    trouble = std::move(why);
    trouble.retry_after_ms = retry.count();
    self->send(deps.timers, arm_timer{timer_sink{self}, start_token, deps.clock->boot_now() + retry});
    retry = std::min(retry * 2, deps.longest_retry);
  }

  void engine(const engine_changed& change) {
    for (auto& watcher : engine_watchers) self->send(watcher, change);
  }

  void exited(const service_exited& e) { tell(e.key, e); }
  template <class Message>
  void tell(const group_key& key, const Message& message) {
    auto found = watchers.find(key);
    if (found == watchers.end()) return;
    if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(found->second))
      self->send(caf::actor_cast<group_watcher>(strong), message);
    else
      watchers.erase(found);
  }

  void on_timer(const timer_due& due) {
    if (due.token == start_token) return start_port();
    expiry_armed.reset();
    calls.expire(deps.clock->boot_now());
    arm_expiry();
  }

  void arm_expiry() {
    auto next = calls.next_deadline();
    if (!next || (expiry_armed && *expiry_armed <= *next)) return;
    expiry_armed = next;
    self->send(deps.timers, arm_timer{timer_sink{self}, expiry_token, *next});
  }

  boot_time deadline(millis limit) const { return deps.clock->boot_now() + limit + deps.slack; }
  template <class T>
  answer<T> open_with(millis limit, std::function<void(outcome<T>)> work) {
    auto callback = calls.open_with<T>(std::move(work), deadline(limit));
    arm_expiry();
    return callback;
  }

  /// Opens a call of the port, or answers with why the port is not there.
  template <class T, class Call>
  reply<T> call(millis limit, Call make) {
    auto promise = self->make_response_promise<outcome<T>>();
    if (!info) {
      promise.deliver(outcome<T>{trouble});
      return promise;
    }
    auto callback = calls.open<T>(promise, deadline(limit));
    arm_expiry();
    make(std::move(callback));
    return promise;
  }

  /// Progress goes from the port's thread to whoever watches now; the answer, which comes through here, is never before it.
  reply<group_state> ensure(const ensure_group& m) {
    const auto found = watchers.find(m.plan->key);
    auto progress = [watcher = found == watchers.end() ? caf::weak_actor_ptr{} : found->second](const group_progress& p) {
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(watcher)) caf::anon_send(caf::actor_cast<group_watcher>(strong), p);
    };
    return call<group_state>(millis{m.timeout_ms}, [&](auto answer) {
      deps.port->ensure(m.plan, millis{m.timeout_ms}, std::move(progress), std::move(answer));
    });
  }
  reply<group_state> start_again(const start_group_again& m) {
    return call<group_state>(millis{m.timeout_ms},
                             [&](auto answer) { deps.port->start_again(m.key, millis{m.timeout_ms}, std::move(answer)); });
  }
  reply<done> stop(const stop_group& m) {
    return call<done>(millis{m.grace_ms} + stop_extra,
                      [&](auto answer) { deps.port->stop(m.key, {}, millis{m.grace_ms}, std::move(answer)); });
  }
  reply<done> remove(const remove_group& m) {
    return call<done>(remove_limit, [&](auto answer) { deps.port->remove(m.key, std::move(answer)); });
  }
  reply<group_state> inspect(const inspect_group& m) {
    return call<group_state>(quick_limit, [&](auto answer) { deps.port->inspect(m.key, std::move(answer)); });
  }
  reply<group_stats> stats(const read_group_stats& m) {
    return call<group_stats>(quick_limit, [&](auto answer) { deps.port->stats(m.key, std::move(answer)); });
  }
  reply<done> refresh(const refresh_group_file& m) {
    return call<done>(quick_limit, [&](auto answer) { deps.port->update_instance_file(m.plan, std::move(answer)); });
  }
  reply<done> remove_one(const remove_object& m) {
    return call<done>(remove_limit, [&](auto answer) { deps.port->remove_object(m.object, std::move(answer)); });
  }
  reply<object_list> list() {
    return call<object_list>(list_limit, [&](auto answer) {
      deps.port->list([answer = std::move(answer)](outcome<std::vector<runtime_object>> objects) {
        if (objects)
          answer(object_list{std::move(*objects)});
        else
          answer(std::move(objects.error));
      });
    });
  }
  reply<image_list> images() {
    return call<image_list>(quick_limit, [&](auto answer) {
      deps.port->list_images([answer = std::move(answer)](outcome<std::vector<std::string>> names) {
        if (names)
          answer(image_list{std::move(*names)});
        else
          answer(std::move(names.error));
      });
    });
  }
  reply<log_text> logs(const read_group_logs& m) {
    return call<log_text>(quick_limit, [&](auto answer) {
      auto text = std::make_shared<gathered_log>();
      log_request request{m.key, m.service, false, m.tail == 0 ? -1 : static_cast<std::int32_t>(std::min(m.tail, 1'000'000u))};
      deps.port->logs(
          std::move(request), [text, most = deps.log_bytes](const log_chunk& chunk) { text->add(chunk.text, most); },
          [text, most = deps.log_bytes, answer = std::move(answer)](outcome<done> end) {
            if (end)
              answer(log_text{text->take(most)});
            else
              answer(std::move(end.error));
          });
    });
  }

  caf::result<outcome<stream_opened>> open_stream(const open_group_log_stream& m) {
    if (!info) return outcome<stream_opened>{trouble};
    if (open_streams->load() >= deps.most_streams)
      return outcome<stream_opened>{failure{errc::queue_full, "as many logs as this node allows are followed", 5'000, {}, {}}};
    auto source = spawn_log_source(self->system(), {deps.port, deps.timers, deps.clock, open_streams, deps.stream_silence});
    return self->delegate(source, begin_reading{m});
  }

  outcome<runtime_info> runtime_is() const {
    if (info) return *info;
    return trouble;
  }
  void watch(const watch_group& m) { watchers[m.key] = caf::actor_cast<caf::weak_actor_ptr>(m.watcher); }
  void unwatch(const unwatch_group& m) { watchers.erase(m.key); }
  void watch_engine_for(const watch_engine& m) {
    engine_watchers.push_back(m.watcher);
    if (info) self->send(m.watcher, engine_changed{true});
  }
};

adapter::behavior_type adapter_behavior(adapter::stateful_pointer<adapter_state> self, runtime_deps deps) {
  install_handlers(self, "runtime");
  auto* s = &self->state;
  s->start(std::move(deps));
  return {
      [](const port_event& event) { event.run(); }, // first: CAF asks one after the other, and these are most
      [s](const ensure_group& m) { return s->ensure(m); },
      [s](const start_group_again& m) { return s->start_again(m); },
      [s](const stop_group& m) { return s->stop(m); },
      [s](const remove_group& m) { return s->remove(m); },
      [s](const inspect_group& m) { return s->inspect(m); },
      [s](const read_group_logs& m) { return s->logs(m); },
      [s](const read_group_stats& m) { return s->stats(m); },
      [s](const refresh_group_file& m) { return s->refresh(m); },
      [s](const list_objects&) { return s->list(); },
      [s](const remove_object& m) { return s->remove_one(m); },
      [s](const get_runtime_info&) { return s->runtime_is(); },
      [s](const list_images&) { return s->images(); },
      [s](const open_group_log_stream& m) { return s->open_stream(m); },
      [s](const watch_group& m) { s->watch(m); },
      [s](const unwatch_group& m) { s->unwatch(m); },
      [s](const watch_engine& m) { s->watch_engine_for(m); },
      [s](const timer_due& due) { s->on_timer(due); },
  };
}

} // namespace

runtime_actor spawn_runtime(caf::actor_system& system, runtime_deps deps) { return system.spawn(adapter_behavior, std::move(deps)); }

} // namespace poseidon
