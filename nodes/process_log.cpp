// Which log the ledger stands on.

#include "nodes/process_parts.hpp"

#include "actors/log/jetstream/jetstream_log.hpp"
#include "actors/log/sqlite_log.hpp"

namespace poseidon {

namespace {

jetstream_options jetstream_options_of(const config::settings& settings) {
  jetstream_options options;
  options.urls = settings.nats.urls;
  options.replicas = settings.nats.replicas;
  options.cluster = settings.cluster;
  options.client = "poseidon " + settings.node;
  options.credentials_file = settings.nats.credentials;
  options.user = settings.nats.user;
  options.password = settings.nats.password;
  options.ca_file = settings.nats.ca;
  return options;
}

} // namespace

outcome<log_actor> process::parts::open_log() {
  if (settings().nats.urls.empty()) return spawn_sqlite_log(*system, {.path = data("ledger.sqlite")}, *time);
  const auto options = jetstream_options_of(settings());
  if (auto refused = check_servers(options)) return refused;
  return spawn_jetstream_log(*system, {timers, time.get(), random.get(), {}}, options);
}

} // namespace poseidon
