// The notifier's side of a process.

#include "nodes/process_parts.hpp"

#include "actors/ledger/history.hpp"
#include "nodes/notifier/event_source.hpp"
#include "nodes/notifier/http_webhooks.hpp"

#include <spdlog/spdlog.h>

#include <fstream>

namespace poseidon {

namespace {

constexpr std::size_t most_secret_bytes = 4096;

failure bad_setting(const std::string& receiver, const std::string& what) {
  return {errc::invalid_field, "notify.receivers: " + receiver + ": " + what, {}, {}, {}};
}

/// The first line of a file.
outcome<secret> read_secret(const std::string& receiver, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(most_secret_bytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  text.erase(std::min(text.find_first_of("\r\n"), text.size()));
  if (text.empty()) return bad_setting(receiver, "nothing can be read from " + path);
  return secret{std::move(text)};
}

outcome<webhook_target> target_of(const config::receiver_settings& r) {
  webhook_target target{r.name, r.type, r.url, r.key};
  if (!r.url_file.empty()) {
    auto url = read_secret(r.name, r.url_file);
    if (!url) return url.error;
    if (auto problem = config::check_receiver_url(url->reveal())) return bad_setting(r.name, "what is in " + r.url_file + " " + *problem);
    target.url = std::move(*url);
  }
  if (!r.secret_file.empty()) {
    auto key = read_secret(r.name, r.secret_file);
    if (!key) return key.error;
    if (key->reveal().size() < config::shortest_receiver_key) return bad_setting(r.name, "the secret in " + r.secret_file + " has less than 16 characters");
    target.key = std::move(*key);
  }
  return target;
}

notifier_options options_of(const config::settings& settings) {
  notifier_options options;
  options.self = settings.node;
  options.members = settings.notify.members;
  options.retry.longest = settings.notify.longest_retry;
  options.retry.first = std::min(options.retry.first, options.retry.longest);
  options.retry.give_up = settings.notify.give_up;
  options.send_limit = settings.notify.timeout;
  options.dead_keep = settings.notify.dead_keep;
  options.peers.lost_after = settings.membership.lost_after;
  options.hand_over = settings.notify.timeout + millis{10'000}; // what is under way has an answer by then
  return options;
}

} // namespace

failure process::parts::spawn_notifier_side() {
  const auto& notify = settings().notify;
  if (!settings().has(config::role::notifier) || notify.receivers.empty()) return {};
  notifier_deps deps;
  http_webhooks_options http{{}, notify.timeout, notify.ca, time};
  for (auto& receiver : notify.receivers) {
    auto target = target_of(receiver);
    if (!target) return target.error;
    http.targets.push_back(std::move(*target));
    deps.receivers.push_back({receiver.name, receiver.type, receiver.events, receiver.challenges, notify.parallel});
  }
  auto port_made = make_http_webhooks(std::move(http));
  if (!port_made) return port_made.error;
  auto store = open_sqlite_notify_store(data("notify.sqlite"));
  if (!store) return store.error;
  history = spawn_history(*system, tail);
  auto urls = self->urls;
  if (urls.api_url.empty()) urls.api_url = api_url;
  deps.ledger = ledger;
  deps.history = history;
  deps.timers = timers;
  deps.time = time;
  deps.random = random;
  deps.store = std::move(*store);
  deps.port = std::move(*port_made);
  deps.source = make_event_source(std::move(urls), hmac_sha256(self->cluster_key.reveal(), "watch"));
  deps.publish = [desk = desk](std::vector<receiver_status> all) { desk->publish(std::move(all)); };
  deps.options = options_of(settings());
  deps.options.run = self->run;
  deps.options.key_check = introduce().key_check;
  deps.bus = bus;
  deps.cluster = settings().cluster;
  notifier = spawn_notifier(*system, std::move(deps));
  watch(caf::actor_cast<caf::actor>(history), "history");
  watch(caf::actor_cast<caf::actor>(notifier), "notifier");
  desk->open(notifier);
  spdlog::info("notifier: telling {} receivers", notify.receivers.size());
  return {};
}

} // namespace poseidon
