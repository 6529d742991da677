// Which log the ledger stands on.

#include "nodes/process_parts.hpp"

#include "actors/log/jetstream/jetstream_log.hpp"
#include "actors/log/sqlite_log.hpp"

namespace poseidon {

outcome<log_actor> process::parts::open_log() {
  if (settings().nats.urls.empty()) return spawn_sqlite_log(*system, {.path = data("ledger.sqlite")}, *time);
  const jetstream_options options{nats_servers_of(settings()), settings().nats.replicas, settings().cluster, leads(), log_servers};
  if (auto refused = check_servers(options)) return refused;
  return spawn_jetstream_log(*system, {timers, time.get(), random.get(), {}}, options);
}

} // namespace poseidon
