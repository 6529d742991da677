#pragma once
// An engine that holds its groups in a map which outlives the actor; everything succeeds at once unless told otherwise.

#include "actors/interfaces.hpp"

#include <deque>

namespace poseidon::test {

/// What the engine holds, and how it answers; shared between runs.
struct listed_engine {
  std::string cluster = "c1";
  node_name node{"n1"};
  std::map<std::string, runtime_object> objects; ///< by id
  bool down = false;
  failure refuse_ensure;        ///< answers ensure_group with it when set
  std::set<std::string> stuck;  ///< objects that can't be removed
  std::vector<std::string> images;
  std::size_t image_looks = 0;
  runtime_info info{true, true, false, false, true, false, "fake", "fake", 8ull << 30, 8'000};
  std::vector<std::string> removed; ///< ids, in order
  std::vector<engine_watcher> watchers;
  std::map<group_key, group_watcher> group_watchers;
  std::size_t ensures = 0;

  static std::string id_of(const group_key& key) { return key.instance.value + "@" + to_string(key.epoch); }
  runtime_object& put(const group_key& key, object_kind kind = object_kind::container, std::int64_t age_ms = 0) {
    runtime_object o;
    o.kind = kind;
    o.id = o.name = (kind == object_kind::container ? "" : std::string(to_string(kind)) + "-") + id_of(key);
    o.running = true;
    o.age_ms = age_ms;
    o.labels = {{labels::cluster, cluster}, {labels::node, node.value}, {labels::instance, key.instance.value},
                {labels::epoch, to_string(key.epoch)}, {labels::schema, labels::schema_version}};
    return objects[o.id] = o;
  }
  std::size_t containers() const {
    std::size_t n = 0;
    for (auto& [id, o] : objects) n += o.kind == object_kind::container;
    return n;
  }
  bool holds(const group_key& key) const { return objects.contains(id_of(key)); }
  outcome<group_state> state(const group_key& key) const {
    auto found = objects.find(id_of(key));
    if (found == objects.end()) return failure{errc::unknown_instance, "no such group", {}, {}, {}};
    service_state s;
    s.service = "main";
    s.running = found->second.running;
    s.where.pid = 1;
    s.where.port = 8000;
    s.ports = {{8000, port_protocol::http, "web"}};
    return group_state{key, {s}};
  }
  void drop(const group_key& key) {
    for (auto it = objects.begin(); it != objects.end();)
      if (it->second.labels[labels::instance] == key.instance.value && it->second.labels[labels::epoch] == to_string(key.epoch))
        it = objects.erase(it);
      else
        ++it;
  }
  void tell(bool up) {
    down = !up;
    for (auto& w : watchers) caf::anon_send(w, engine_changed{up});
  }
};
using listed_engine_ptr = std::shared_ptr<listed_engine>;

inline runtime_actor spawn_listed_engine(caf::actor_system& system, listed_engine_ptr e) {
  return system.spawn([e](runtime_actor::pointer) -> runtime_actor::behavior_type {
    const auto away = [] { return failure{errc::engine_unavailable, "the engine is down", 1000, {}, {}}; };
    return {
        [=](const ensure_group& m) -> outcome<group_state> {
          if (e->down) return away();
          if (e->refuse_ensure) return e->refuse_ensure;
          ++e->ensures;
          if (!e->holds(m.plan->key)) e->put(m.plan->key);
          return e->state(m.plan->key);
        },
        [=](const start_group_again& m) -> outcome<group_state> {
          if (e->down) return away();
          return e->state(m.key);
        },
        [=](const stop_group& m) -> outcome<done> {
          if (e->down) return away();
          if (auto found = e->objects.find(listed_engine::id_of(m.key)); found != e->objects.end()) found->second.running = false;
          return done{};
        },
        [=](const remove_group& m) -> outcome<done> {
          if (e->down) return away();
          e->drop(m.key);
          return done{};
        },
        [=](const inspect_group& m) -> outcome<group_state> {
          if (e->down) return away();
          return e->state(m.key);
        },
        [=](const read_group_logs&) -> outcome<log_text> { return log_text{"log"}; },
        [=](const read_group_stats&) -> outcome<group_stats> { return group_stats{}; },
        [=](const refresh_group_file&) -> outcome<done> { return done{}; },
        [=](const list_objects&) -> outcome<object_list> {
          if (e->down) return away();
          object_list list;
          for (auto& [id, o] : e->objects) list.objects.push_back(o);
          return list;
        },
        [=](const remove_object& m) -> outcome<done> {
          if (e->down) return away();
          if (e->stuck.contains(m.object.id)) return failure{errc::engine_error, "busy", {}, {}, {}};
          e->objects.erase(m.object.id);
          e->removed.push_back(m.object.id);
          return done{};
        },
        [=](const get_runtime_info&) -> outcome<runtime_info> {
          if (e->down) return away();
          return e->info;
        },
        [=](const list_images&) -> outcome<image_list> {
          if (e->down) return away();
          ++e->image_looks;
          return image_list{e->images};
        },
        [](const open_group_log_stream&) { return outcome<stream_opened>{failure{errc::unknown_instance, "no streams here", {}, {}, {}}}; },
        [=](const watch_group& m) { e->group_watchers.insert_or_assign(m.key, m.watcher); },
        [=](const unwatch_group& m) { e->group_watchers.erase(m.key); },
        [=](const watch_engine& m) { e->watchers.push_back(m.watcher); },
    };
  });
}

} // namespace poseidon::test
