#pragma once
// Fakes of what an instance works with: engine, health checks, edge, journal. They hold what the real ones would, do what
// the script says with each answer, and write down what they were asked for.

#include "test/support/scripted.hpp"

namespace poseidon::test {

/// The engine's groups.
struct fake_engine {
  struct group {
    launch_plan_ptr plan;
    bool running = false, watched = false;
    bool image_health = false, healthy = false;
    int starts = 0;
    std::int32_t exit_code = 0;
    group_watcher watcher;
  };
  std::map<group_key, group> groups; ///< made ones
  std::map<group_key, group_watcher> watchers;
  std::string output = "last line";
  bool away = false; ///< every call fails with engine_unavailable
  std::string file_deadline;

  group_state state(const group_key& key) {
    auto& g = groups.at(key);
    service_state s;
    s.service = g.plan->spec->services.front().name;
    s.running = g.running;
    s.exit_code = g.exit_code;
    s.where.container = {"container-" + key.instance.value};
    s.where.pid = 100 + g.starts;
    s.where.port = 8000;
    s.ports = {{8000, port_protocol::http, "web"}};
    s.image_health = g.image_health;
    s.healthy = g.healthy;
    return {key, {s}};
  }
  outcome<group_state> ensure(const launch_plan_ptr& plan) {
    auto& g = groups[plan->key];
    g.plan = plan;
    if (!g.running) ++g.starts;
    g.running = true;
    return state(plan->key);
  }
  outcome<group_state> start_again(const group_key& key) {
    if (!groups.count(key)) return failure{errc::unknown_instance, "no such group", {}, {}, {}};
    return ensure(groups.at(key).plan);
  }
  /// A service ends by itself.
  void exit(const group_key& key, std::int32_t code, bool out_of_memory = false, bool tell = true) {
    groups.at(key).running = false;
    groups.at(key).exit_code = code;
    if (tell && watchers.count(key)) caf::anon_send(watchers.at(key), service_exited{key, "main", code, out_of_memory});
  }
};

inline failure engine_away() { return {errc::engine_unavailable, "the engine is away", {}, {}, {}}; }

inline runtime_actor spawn_fake_runtime(caf::actor_system& system, std::shared_ptr<fake_engine> engine, std::shared_ptr<script_book> book) {
  return system.spawn([engine, book](runtime_actor::pointer self) -> runtime_actor::behavior_type {
    accept_work(self);
    auto reply = [engine, book, self]<class T>(const std::string& name, std::function<outcome<T>()> work) {
      if (engine->away) work = [] { return outcome<T>(engine_away()); };
      return book->answer<T>(self, name, std::move(work));
    };
    return {
        [=](const ensure_group& m) {
          book->note("engine ensure");
          return reply.operator()<group_state>("ensure", [=] { return engine->ensure(m.plan); });
        },
        [=](const start_group_again& m) {
          book->note("engine start_again");
          return reply.operator()<group_state>("start_again", [=] { return engine->start_again(m.key); });
        },
        [=](const stop_group& m) {
          book->note("engine stop " + std::to_string(m.grace_ms));
          return reply.operator()<done>("stop", [=] {
            if (engine->groups.count(m.key)) engine->groups[m.key].running = false;
            return outcome<done>(done{});
          });
        },
        [=](const remove_group& m) {
          book->note("engine remove");
          return reply.operator()<done>("remove", [=] {
            engine->groups.erase(m.key);
            return outcome<done>(done{});
          });
        },
        [=](const inspect_group& m) {
          book->note("engine inspect");
          return reply.operator()<group_state>("inspect", [=]() -> outcome<group_state> {
            if (!engine->groups.count(m.key)) return failure{errc::unknown_instance, "no such group", {}, {}, {}};
            return engine->state(m.key);
          });
        },
        [=](const read_group_logs&) {
          book->note("engine logs");
          return reply.operator()<log_text>("logs", [=] { return outcome<log_text>(log_text{engine->output}); });
        },
        [=](const read_group_stats&) { return reply.operator()<group_stats>("stats", [] { return outcome<group_stats>(group_stats{}); }); },
        [=](const refresh_group_file& m) {
          book->note("engine refresh");
          return reply.operator()<done>("refresh", [=] {
            engine->file_deadline = m.plan->expires_at ? to_rfc3339(*m.plan->expires_at) : "";
            return outcome<done>(done{});
          });
        },
        [=](const list_objects&) { return reply.operator()<object_list>("list", [] { return outcome<object_list>(object_list{}); }); },
        [=](const remove_object&) { return reply.operator()<done>("remove_object", [] { return outcome<done>(done{}); }); },
        [=](const get_runtime_info&) { return reply.operator()<runtime_info>("info", [] { return outcome<runtime_info>(runtime_info{}); }); },
        [](const list_images&) { return outcome<image_list>(image_list{}); },
        [](const open_group_log_stream&) { return outcome<stream_opened>{failure{errc::unknown_instance, "no streams here", {}, {}, {}}}; },
        [=](const watch_group& m) { engine->watchers[m.key] = m.watcher; },
        [=](const unwatch_group& m) { engine->watchers.erase(m.key); },
        [=](const watch_engine&) {},
    };
  });
}

/// The edge's table.
struct fake_edge {
  std::map<std::string, route> routes;
};

inline router_actor spawn_fake_router(caf::actor_system& system, std::shared_ptr<fake_edge> edge, std::shared_ptr<script_book> book) {
  return system.spawn([edge, book](router_actor::pointer self) -> router_actor::behavior_type {
    accept_work(self);
    auto reply = [book, self](const std::string& name, std::function<outcome<route_acked>()> work) {
      return book->answer<route_acked>(self, name, std::move(work));
    };
    return {
        [=](const put_route& m) {
          book->note("route put");
          return reply("put_route", [=] {
            edge->routes[m.route.host] = m.route;
            return outcome<route_acked>(route_acked{m.route.instance, m.route.epoch});
          });
        },
        [=](const end_route& m) {
          book->note("route end " + std::string{to_string(m.reason)});
          return reply("end_route", [=] {
            edge->routes.erase(m.host);
            return outcome<route_acked>(route_acked{m.instance, m.epoch});
          });
        },
        [=](const announce_route& m) {
          book->note("route announce");
          return reply("announce_route", [=] { return outcome<route_acked>(route_acked{m.instance, m.epoch}); });
        },
    };
  });
}

inline probe_actor spawn_fake_probe(caf::actor_system& system, std::shared_ptr<script_book> book) {
  return system.spawn([book](probe_actor::pointer self) -> probe_actor::behavior_type {
    accept_work(self);
    return {[=](const probe_endpoint&) {
      book->note("probe");
      return book->answer<done>(self, "probe", [] { return outcome<done>(done{}); });
    }};
  });
}

/// The journal's records and facts; `ledger_up` false keeps flush_facts and forget_record waiting.
struct fake_journal {
  std::map<group_key, record_ptr> records;
  std::vector<entry_body> facts; ///< each once, however often it was handed over
  std::vector<group_key> tombstones;
  bool ledger_up = true;
  std::set<std::pair<group_key, std::uint64_t>> numbers;

  void commit(const commit_record& m) {
    records[{m.record->instance, m.record->epoch}] = m.record;
    for (auto& fact : m.facts) {
      const auto* head = std::visit([](auto& body) -> const fact_head* {
        if constexpr (requires { body.head; })
          return &body.head;
        else
          return nullptr;
      }, fact);
      if (head && numbers.insert({{head->instance, head->epoch}, head->number}).second) facts.push_back(fact);
    }
  }
  template <class Fact>
  const Fact* last() const {
    for (auto it = facts.rbegin(); it != facts.rend(); ++it)
      if (auto* fact = std::get_if<Fact>(&*it)) return fact;
    return nullptr;
  }
  std::vector<std::string> kinds() const {
    std::vector<std::string> names;
    for (auto& fact : facts) names.emplace_back(kind_of(fact));
    return names;
  }
};

inline journal_actor spawn_fake_journal(caf::actor_system& system, std::shared_ptr<fake_journal> journal, std::shared_ptr<script_book> book) {
  return system.spawn([journal, book](journal_actor::pointer self) -> journal_actor::behavior_type {
    accept_work(self);
    auto reply = [book, self](const std::string& name, std::function<outcome<done>()> work) {
      return book->answer<done>(self, name, std::move(work));
    };
    return {
        [=](const commit_record& m) {
          book->note("journal commit " + std::string{to_string(m.record->phase)});
          return reply("commit", [=] {
            journal->commit(m);
            return outcome<done>(done{});
          });
        },
        [=](const forget_record& m) {
          book->note("journal forget");
          if (!journal->ledger_up && book->next["forget"].empty()) book->next["forget"].push_back(loses_request());
          return reply("forget", [=] {
            journal->records.erase(m.key);
            journal->tombstones.push_back(m.key);
            return outcome<done>(done{});
          });
        },
        [=](const load_records&) {
          return outcome<std::shared_ptr<const journal_contents>>(std::make_shared<const journal_contents>());
        },
        [=](const flush_facts&) {
          book->note("journal flush");
          if (!journal->ledger_up && book->next["flush"].empty()) book->next["flush"].push_back(loses_request());
          return reply("flush", [] { return outcome<done>(done{}); });
        },
    };
  });
}

} // namespace poseidon::test
