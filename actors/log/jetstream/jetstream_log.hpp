#pragma once
// The log on NATS JetStream: one stream, replicated or not. Several entries a message, published without waiting for one
// another; followers are served from memory, and from the stream when they lag. An acknowledgement is not an fsync: whoever
// follows compares the log with what he has whenever it comes back (log_connection).

#include "actors/log/jetstream/log_transport.hpp"
#include "actors/log/jetstream/server_presence.hpp"
#include "actors/log/log.hpp"
#include "actors/nats/nats_servers.hpp"
#include "messages/random.hpp"

namespace poseidon {

struct transport_news {
  using poseidon_message = void;
  transport_event what;
};
using jetstream_log_actor = log_actor::extend<reacts_to<transport_news>, reacts_to<timer_due>>;

struct jetstream_front_options {
  append_limits appends;
  link_limits link;
  std::size_t recent = 16'384; ///< entries kept in memory for followers that keep up
};

struct jetstream_front_deps {
  timers_actor timers;
  const clock* time = nullptr;     ///< outlives the actor
  random_source* random = nullptr; ///< outlives the actor
  jetstream_front_options options;
};

/// Spawns the front; it connects by itself, and again whenever the connection is lost. Until the first attempt is decided
/// questions wait; while the log is away they and every append are refused with ledger_unavailable.
log_actor spawn_jetstream_front(caf::actor_system& system, jetstream_front_deps deps, std::unique_ptr<log_transport> transport);

/// Where the stream is, and who asks.
struct jetstream_options : nats_servers {
  std::uint32_t replicas = 1;
  std::string cluster; ///< names the stream and its subjects
  bool may_make = true; ///< makes the stream where there is none; false: an edge's or notifier's user may not
  std::shared_ptr<server_presence> presence = nullptr; ///< is told at every connect; null: nobody asks
};

/// Asks every server that answers which version it is; refuses what can't carry the log (conflict). Servers that don't answer
/// are asked when they do: at every connect. Those that `presence` knows from earlier are asked too.
failure check_servers(const jetstream_options& options);

/// The log on the servers of `options`.
log_actor spawn_jetstream_log(caf::actor_system& system, jetstream_front_deps deps, const jetstream_options& options);

} // namespace poseidon
