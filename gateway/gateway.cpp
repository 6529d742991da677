#include "gateway/gateway.hpp"

#include "gateway/bridge.hpp"
#include "gateway/hub.hpp"
#include "gateway/rate_limits.hpp"
#include "gateway/view_actor.hpp"

#include <spdlog/spdlog.h>

namespace poseidon::gateway {

namespace {

std::vector<std::pair<std::string, std::string>> operation_names() {
  std::vector<std::pair<std::string, std::string>> names;
  for (auto& one : all_routes()) names.emplace_back(to_string(one.method), one.pattern);
  return names;
}

http_response refused_request(int status, std::string_view detail) {
  auto code = status == 431 ? errc::header_too_large : status == 413 ? errc::body_too_large : status == 408 ? errc::request_timeout : errc::bad_request;
  return problem_response({code, std::string(detail), std::nullopt, {}, {}}, status);
}

} // namespace

struct gateway::state {
  gateway_config config;
  gateway_deps deps;
  std::shared_ptr<shared_urls> urls = std::make_shared<shared_urls>();
  std::shared_ptr<view> model;
  std::shared_ptr<event_ring> events;
  std::shared_ptr<metrics> meters = std::make_shared<metrics>(operation_names());
  rate_limits rates;
  std::atomic<std::size_t> open_streams{0};
  std::atomic<bool> draining{false};
  view_handle writer;
  std::vector<std::unique_ptr<bridge>> bridges;
  std::vector<std::unique_ptr<hub>> hubs;
  std::vector<std::unique_ptr<api>> services;
  server http; ///< last: ends first, with all that refers to what is above

  state(gateway_config c, gateway_deps d)
      : config(std::move(c)), deps(std::move(d)), model(std::make_shared<view>(config.watch_key.reveal())),
        events(std::make_shared<event_ring>(config.events_kept)), rates({config.rate.per_minute, config.rate.burst}),
        http(config.server, refused_request) {}

  void spawn_writer();
  void make_thread(unsigned index);
};

void gateway::state::spawn_writer() {
  urls->store(std::make_shared<const url_rules>(config.urls));
  view_actor_deps writer_deps;
  writer_deps.ledger = deps.ledger;
  writer_deps.into = model;
  writer_deps.events = events;
  writer_deps.urls = urls;
  writer_deps.clock = deps.clock;
  writer_deps.on_timing = [meters = meters](const phase_timing& t) { meters->phase_left(t); };
  writer_deps.on_change = [meters = meters](const ledger_change&) { meters->entry_applied(); };
  writer = spawn_view(*deps.system, std::move(writer_deps));
}

void gateway::state::make_thread(unsigned index) {
  auto thread = http.thread(index);
  bridge_targets targets{deps.scheduler, deps.ledger, deps.catalogue, deps.notifier, deps.backups, config.request_timeout, millis{120'000}, millis{300'000}};
  bridges.push_back(std::make_unique<bridge>(*deps.system, targets, thread));
  hubs.push_back(std::make_unique<hub>(thread, events, config.heartbeat));
  auto& one = *services.emplace_back(std::make_unique<api>());
  one.config = &config;
  one.urls = urls->load();
  one.hooks = &deps.hooks;
  one.model = model.get();
  one.events = events.get();
  one.actors = bridges.back().get();
  one.streams = hubs.back().get();
  one.rates = &rates;
  one.meters = meters.get();
  one.clock = deps.clock.get();
  one.random = deps.random.get();
  one.open_streams = &open_streams;
  one.draining = &draining;
  one.connections = [this] { return http.connections(); };
  thread->post([this, index] { hubs[index]->start(); });
}

gateway::gateway(gateway_config config, gateway_deps deps) : state_(std::make_unique<state>(std::move(config), std::move(deps))) {
  state_->spawn_writer();
}

gateway::~gateway() { stop(); }

std::vector<bound_address> gateway::start() {
  auto bound = state_->http.bind();
  auto urls = state_->config.urls;
  for (auto& address : bound)
    if (address.port != 0 && urls.api_url.empty()) urls.api_url = address.url;
  state_->urls->store(std::make_shared<const url_rules>(std::move(urls)));
  std::vector<http_service> answer;
  for (unsigned i = 0; i < state_->http.threads(); ++i) {
    state_->make_thread(i);
    answer.push_back([services = state_->services[i].get()](exchange ex) { serve(*services, std::move(ex)); });
  }
  state_->http.run(std::move(answer));
  for (auto& address : bound) spdlog::info("gateway: API on {}", address.url);
  return bound;
}

telemetry_actor gateway::telemetry() const { return state_->writer; }
const view& gateway::model() const { return *state_->model; }

void gateway::stop() {
  if (state_->draining.exchange(true)) return;
  state_->http.stop(state_->config.drain_limit);
  state_->bridges.clear();
  caf::anon_send_exit(state_->writer, caf::exit_reason::user_shutdown);
}

} // namespace poseidon::gateway
