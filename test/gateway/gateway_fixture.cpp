#include "test/gateway/gateway_fixture.hpp"

#include "config/challenge.hpp"

#include <sstream>

namespace poseidon::test {

namespace {

/// One dead letter, 7, of the receiver ops.
notifier_actor spawn_fake_notifier(caf::actor_system& system) {
  return system.spawn([](notifier_actor::pointer) -> notifier_actor::behavior_type {
    return {
        [](const ledger_changes&) {},
        [](const timer_due&) {},
        [](const list_dead_letters& m) {
          dead_letters found;
          found.items.push_back({7, "ops", "1-9", "instance.failed", "i", "", sample_time, 3, "answered 404"});
          found.more = m.limit == 1;
          return outcome<dead_letters>{found};
        },
        [](const replay_dead_letters& m) -> outcome<replayed_letters> {
          if (m.id != 0 && m.id != 7) return failure{errc::not_found, "there is no such dead letter", {}, {}, {}};
          return replayed_letters{1};
        },
    };
  });
}

std::vector<receiver_status> some_receivers() {
  receiver_status ops{"ops", receiver_kind::webhook, 5, 3, 2, 1, 1, sample_time, sample_time, "connection refused"};
  receiver_status chat{"chat", receiver_kind::discord, 0, 0, 0, 0, 0, std::nullopt, std::nullopt, {}};
  return {ops, chat};
}

} // namespace

gateway_fixture::gateway_fixture() {
  system_config.set("scheduler.max-threads", 2);
  system = std::make_unique<caf::actor_system>(system_config);
  cluster = std::make_unique<fake_cluster>(*system);
  notifier = spawn_fake_notifier(*system);
  backups = system->spawn([this](gateway::backup_source::pointer) -> gateway::backup_source::behavior_type {
    return {[this](const gateway::make_backup&) -> outcome<gateway::backup_bytes> {
      if (backup_refusal) return backup_refusal;
      return std::make_shared<const std::string>(backup);
    }};
  });
  for (std::string scope : {"admin", "platform", "read", "metrics"}) {
    keys[scope] = "psk_" + scope + "_0123456789abcdef";
    cluster->append(*gateway::key_from_token(secret{keys[scope]}, {scope}, "test", sample_time));
  }
  config.server.listen = {"127.0.0.1:0"};
  config.server.threads = 2;
  config.urls.edge_port = 8081;
  config.watch_key = secret{"watch"};
  config.log_poll = millis{5};
  config.drain_limit = millis{500};
  config.rate = {6'000, 1'000};
}

gateway_fixture::~gateway_fixture() {
  under_test.reset();
  caf::anon_send_exit(notifier, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(backups, caf::exit_reason::user_shutdown);
  cluster.reset();
}

void gateway_fixture::start() {
  gateway::gateway_deps deps;
  deps.system = system.get();
  deps.scheduler = cluster->scheduler;
  deps.ledger = cluster->ledger;
  deps.catalogue = cluster->catalogue;
  deps.backups = [this] { return backups; };
  if (notifies) {
    deps.notifier = [this] { return notifier; };
    deps.hooks.receivers = [] { return std::optional{some_receivers()}; };
  }
  deps.clock = clock;
  deps.random = std::shared_ptr<random_source>(&system_random(), [](auto*) {});
  deps.hooks.reveal = [](const challenge_row&) -> outcome<secret> { return secret{R"({"flags":["f{secret}"]})"}; };
  deps.hooks.inline_spec = [](const nlohmann::json& spec) { return config::parse_inline_spec(spec, {}); };
  auto settings = std::make_shared<config::loaded_settings>();
  settings->values.rate = {config.rate.per_minute, config.rate.burst};
  settings->values.api.cors_origins = config.cors_origins;
  settings->values.api.inline_specs = config.inline_specs;
  deps.hooks.settings = settings;
  under_test = std::make_unique<gateway::gateway>(config, std::move(deps));
  url = under_test->start().at(0).url;
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!under_test->model().loaded() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
}

gateway_fixture::reply gateway_fixture::ask(const std::string& method, const std::string& target, const nlohmann::json& body,
                                            const std::string& scope, std::vector<std::pair<std::string, std::string>> headers) {
  if (!scope.empty()) headers.emplace_back("Authorization", bearer(scope));
  auto answer = http_client(url).request(method, target, body.is_null() ? std::string{} : body.dump(), headers);
  if (!answer) throw std::runtime_error("the gateway closed without an answer");
  reply result{answer->status, *answer, nullptr};
  if (answer->header("content-type").find("json") != std::string::npos && !answer->body.empty()) result.body = nlohmann::json::parse(answer->body);
  return result;
}

std::string gateway_fixture::started(const std::string& user) {
  return ask("POST", "/v1/instances", {{"challenge", "hello"}, {"owner", {{"user", user}}}}).body.at("id");
}

std::unique_ptr<http_client> gateway_fixture::stream(const std::string& target, const std::string& scope,
                                                     std::vector<std::pair<std::string, std::string>> headers) {
  auto client = std::make_unique<http_client>(url);
  auto text = "GET " + target + " HTTP/1.1\r\nHost: test\r\n";
  if (!scope.empty()) headers.emplace_back("Authorization", bearer(scope));
  for (auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  client->send(text + "\r\n");
  auto head = client->receive_head();
  if (!head || head->status != 200) throw std::runtime_error("no stream: " + std::to_string(head ? head->status : 0));
  return client;
}

sse parse_event(const std::string& text) {
  sse event;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("id: ")) event.id = line.substr(4);
    if (line.starts_with("event: ")) event.type = line.substr(7);
    if (line.starts_with("data: ")) event.data = nlohmann::json::parse(line.substr(6));
  }
  return event;
}

sse next_event(http_client& client) {
  for (;;) {
    auto text = client.receive_event();
    if (!text) throw std::runtime_error("the stream has ended");
    auto event = parse_event(*text);
    if (!event.type.empty()) return event;
  }
}

} // namespace poseidon::test
