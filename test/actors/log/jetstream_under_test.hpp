#pragma once
// The log on real NATS servers, for the contract suite and for the tests of faults.

#include "actors/log/jetstream/jetstream_log.hpp"
#include "test/actors/log/log_contract.hpp"
#include "test/actors/log/nats_server.hpp"
#include "test/support/real_clock.hpp"
#include "test/support/ticking_timers.hpp"

#include <optional>

namespace poseidon::test {

/// Waits until the log answers; throws when it does not within a minute and a half (a busy machine's election).
inline log_extent await_log(caf::actor_system& system, const log_actor& log) {
  caf::scoped_actor self(system);
  const real_clock time;
  outcome<log_extent> found{failure{errc::internal, "it was never asked", {}, {}, {}}};
  for (const auto until = time.boot_now() + millis{90'000}; time.boot_now() < until;) {
    self->request(log, millis{10'000}, get_log_extent{})
        .receive([&](outcome<log_extent>& answer) { found = std::move(answer); }, [](caf::error&) {});
    if (found) return *found;
    self->receive(caf::after(millis{20}) >> [] {});
  }
  throw std::runtime_error("the log does not answer: " + found.error.detail);
}

class jetstream_under_test : public log_under_test {
public:
  /// `replicas`: 1 on one server, or 3 on three.
  explicit jetstream_under_test(std::uint32_t replicas) {
    options.replicas = replicas;
    options.cluster = "Zoë's test";
    options.client = "test";
    front.recent = 1000; // small, so that most of the suite is served from the stream
    if (replicas == 1) {
      servers.servers.push_back(std::make_unique<nats_server>());
      options.urls = servers.urls();
    } else {
      servers.make_three();
      options.urls = servers.urls();
    }
  }
  log_actor open(caf::actor_system& system) override {
    if (!timers) timers.emplace(system, time);
    auto log = spawn_jetstream_log(system, {timers->actor, &time, &system_random(), front}, options);
    try {
      await_log(system, log);
    } catch (const std::runtime_error& error) {
      std::string all = error.what();
      for (const auto& server : servers.servers) all += "\n" + server->name() + ":\n" + server->written();
      throw std::runtime_error(all);
    }
    return log;
  }
  /// Every server killed hard, and started again on what it left.
  void crash() override {
    for (auto& server : servers.servers) server->kill();
    for (auto& server : servers.servers) server->start();
  }

  const real_clock time;
  nats_cluster servers;
  jetstream_options options;
  jetstream_front_options front;
  std::optional<ticking_timers> timers;
};

} // namespace poseidon::test
