#include "bench/instant_ports.hpp"

namespace poseidon::bench {
namespace {

group_state running(const group_key& key) {
  service_state s;
  s.service = "main";
  s.running = true;
  s.where.container = {std::string(64, 'c')};
  s.where.pid = 4242;
  s.where.start_ticks = 123456;
  s.where.cgroup = "docker/" + std::string(64, 'c');
  s.where.port = 8000;
  s.ports = {{8000, port_protocol::http, "web"}};
  return {key, {s}};
}

runtime_actor::behavior_type runtime_behavior() {
  return {
      [](const ensure_group& m) { return outcome<group_state>(running(m.plan->key)); },
      [](const start_group_again& m) { return outcome<group_state>(running(m.key)); },
      [](const stop_group&) { return outcome<done>(done{}); },
      [](const remove_group&) { return outcome<done>(done{}); },
      [](const inspect_group& m) { return outcome<group_state>(running(m.key)); },
      [](const read_group_logs&) { return outcome<log_text>(log_text{}); },
      [](const read_group_stats&) { return outcome<group_stats>(group_stats{}); },
      [](const refresh_group_file&) { return outcome<done>(done{}); },
      [](const list_objects&) { return outcome<object_list>(object_list{}); },
      [](const remove_object&) { return outcome<done>(done{}); },
      [](const get_runtime_info&) { return outcome<runtime_info>(runtime_info{}); },
      [](const list_images&) { return outcome<image_list>(image_list{}); },
      [](const open_group_log_stream&) { return outcome<stream_opened>{failure{errc::unknown_instance, "no streams here", {}, {}, {}}}; },
      [](const watch_group&) {},
      [](const unwatch_group&) {},
      [](const watch_engine&) {},
  };
}

router_actor::behavior_type router_behavior() {
  return {
      [](const put_route& m) { return outcome<route_acked>(route_acked{m.route.instance, m.route.epoch}); },
      [](const end_route& m) { return outcome<route_acked>(route_acked{m.instance, m.epoch}); },
      [](const announce_route& m) { return outcome<route_acked>(route_acked{m.instance, m.epoch}); },
  };
}

journal_actor::behavior_type journal_behavior() {
  return {
      [](const commit_record&) { return outcome<done>(done{}); },
      [](const forget_record&) { return outcome<done>(done{}); },
      [](const load_records&) { return outcome<std::shared_ptr<const journal_contents>>(std::make_shared<const journal_contents>()); },
      [](const flush_facts&) { return outcome<done>(done{}); },
  };
}

} // namespace

instant_ports::instant_ports(caf::actor_system& system)
    : runtime(system.spawn(runtime_behavior)),
      probe(system.spawn([]() -> probe_actor::behavior_type { return {[](const probe_endpoint&) { return outcome<done>(done{}); }}; })),
      router(system.spawn(router_behavior)), journal(system.spawn(journal_behavior)) {}

instant_ports::~instant_ports() {
  caf::anon_send_exit(runtime, caf::exit_reason::kill);
  caf::anon_send_exit(probe, caf::exit_reason::kill);
  caf::anon_send_exit(router, caf::exit_reason::kill);
  caf::anon_send_exit(journal, caf::exit_reason::kill);
}

std::shared_ptr<const instance_deps> instant_ports::deps(timers_actor timers, std::shared_ptr<const clock> time) const {
  auto d = std::make_shared<instance_deps>();
  d->runtime = runtime;
  d->probe = probe;
  d->router = router;
  d->journal = journal;
  d->timers = std::move(timers);
  d->time = std::move(time);
  d->node = {"node-1"};
  d->run = {1, 1};
  d->boot_id = "3c1f9c8e-6f57-4c7e-9f2e-0f6a2a3c9d11";
  d->machine = {d->boot_id + "/4026531836"};
  return d;
}

spec_ptr one_service() {
  auto spec = std::make_shared<instance_spec>();
  spec->services.emplace_back().image = "registry.example/web:1";
  spec->services[0].ports = {{8000, port_protocol::http, "web"}};
  return spec;
}

journal_record record_of(std::size_t number, const spec_ptr& spec, wall_time now) {
  const auto name = std::to_string(100'000 + number);
  journal_record r;
  r.instance = {"k3" + std::string(18, 'x') + name};
  r.epoch = {1, number + 1, {7, number}};
  r.owner.user = "player-" + name;
  r.key = {"user:player-" + name};
  r.challenge = {"hello"};
  r.revision = "sha256:" + std::string(64, 'a');
  r.spec_id = {"sha256:" + std::string(64, 'b')};
  r.spec = spec;
  r.host = "0123456789abcd" + name + ".ctf.example";
  r.url = "http://" + r.host + ":8081/";
  r.created_at = now;
  return r;
}

} // namespace poseidon::bench
