#pragma once
// A node whose answers the test sets.

#include "actors/interfaces.hpp"

namespace poseidon::test {

/// What the node holds and what it was asked; shared with the test.
struct fake_node {
  std::set<instance_id> holds;
  bool silent = false;
  failure failing; ///< answers everything with it when set
  std::vector<stop_instance> stops;
  std::vector<extend_instance> extends;
  outcome<extended> extend_answer{extended{}};
  std::function<void(const stop_instance&)> on_stop;   ///< before the answer
  std::function<void(const extend_instance&)> on_extend;
  garbage_report garbage;
  std::function<outcome<stream_opened>(const open_log_stream&)> open_stream; ///< empty: it has none
};
using fake_node_ptr = std::shared_ptr<fake_node>;

namespace detail {
template <class T>
caf::result<outcome<T>> node_answer(node_actor::pointer self, const fake_node& n, const instance_id& id, outcome<T> value) {
  if (n.silent) return self->make_response_promise<outcome<T>>();
  if (n.failing) return outcome<T>{n.failing};
  if (!n.holds.contains(id)) return outcome<T>{failure{errc::unknown_instance, "not here", {}, {}, {}}};
  return value;
}
} // namespace detail

inline node_actor spawn_fake_node(caf::actor_system& system, fake_node_ptr n) {
  return system.spawn([n](node_actor::pointer self) -> node_actor::behavior_type {
    return {
        [self, n](const stop_instance& m) {
          n->stops.push_back(m);
          if (n->on_stop && n->holds.contains(m.instance)) n->on_stop(m);
          return detail::node_answer<done>(self, *n, m.instance, done{});
        },
        [self, n](const extend_instance& m) {
          n->extends.push_back(m);
          if (n->on_extend) n->on_extend(m);
          return detail::node_answer<extended>(self, *n, m.instance, n->extend_answer);
        },
        [self, n](const read_logs& m) { return detail::node_answer<log_text>(self, *n, m.instance, log_text{"log of " + m.instance.value}); },
        [self, n](const read_stats& m) { return detail::node_answer<group_stats>(self, *n, m.instance, group_stats{1, 2, 3, 4}); },
        [n](const collect_garbage&) -> outcome<garbage_report> {
          if (n->failing) return n->failing;
          return n->garbage;
        },
        [self, n](const get_instance& m) { return detail::node_answer<done>(self, *n, m.instance, done{}); },
        [n](const open_log_stream& m) -> outcome<stream_opened> {
          if (n->open_stream) return n->open_stream(m);
          return failure{errc::unknown_instance, "no streams here", {}, {}, {}};
        },
    };
  });
}

} // namespace poseidon::test
