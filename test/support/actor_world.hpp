#pragma once
// An actor system whose scheduler and time are the test's: nothing runs but in run() and advance(), always in the same
// order. Our timers (the process's timers actor) and CAF's request timeouts follow one virtual clock.

#include "actors/timers/timers.hpp"
#include "test/support/virtual_clock.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <stdexcept>

namespace poseidon::test {

/// Actors, timers and time of one simulated process; usable without GoogleTest.
class actor_world {
public:
  actor_world() : system(config), scheduler(dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())) {
    timers = spawn_timers(system, horizon);
    run();
  }
  ~actor_world() {
    for (auto& asker : askers_) caf::anon_send_exit(asker, caf::exit_reason::kill); // whose answer never came
    caf::anon_send_exit(timers, caf::exit_reason::user_shutdown);
    timers = nullptr;
    run();
  }

  /// Runs actors until none has anything to do; time stands still.
  void run() {
    for (std::size_t n = 0; scheduler.try_run_once(); ++n)
      if (n > 20'000'000) throw std::runtime_error("the actors never come to rest");
  }

  /// Lets `span` pass, stopping at every moment at which a timer or a request's timeout is due.
  void advance(millis span) {
    run();
    const auto end = time.boot_now() + span;
    for (auto now = time.boot_now(); now < end; now = time.boot_now()) {
      const auto next = std::clamp(std::min(horizon->next(), next_timeout(now)), now + millis{1}, end);
      step(next - now);
    }
  }

  /// Advances until `wanted()` holds, at most by `limit`; answers whether it held.
  template <class Predicate>
  bool advance_until(Predicate wanted, millis limit) {
    run();
    for (const auto end = time.boot_now() + limit; !wanted();) {
      const auto now = time.boot_now();
      if (now >= end) return false;
      step(std::clamp(std::min(horizon->next(), next_timeout(now)), now + millis{1}, end) - now);
    }
    return true;
  }

  /// Takes an actor's answer that needs no time to pass.
  template <class Reply, class Handle, class Message>
  std::optional<Reply> answer_now(const Handle& target, Message message) {
    auto slot = ask_later<Reply>(target, std::move(message));
    run();
    return *slot;
  }

  /// Asks now; the slot is filled once the answer is there, if ever.
  template <class Reply, class Handle, class Message>
  std::shared_ptr<std::optional<Reply>> ask_later(const Handle& target, Message message) {
    auto slot = std::make_shared<std::optional<Reply>>();
    std::erase_if(askers_, [](const auto& a) { return !caf::actor_cast<caf::strong_actor_ptr>(a); });
    auto asker = system.spawn([slot, target, message = std::move(message)](caf::event_based_actor* self) {
      self->request(target, std::chrono::minutes(600'000), message)
          .then([slot](Reply& reply) { *slot = std::move(reply); }, [](caf::error&) {});
    });
    askers_.push_back(asker.address());
    run();
    return slot;
  }

  /// The earliest moment at which CAF has something due.
  boot_time next_timeout(boot_time now) {
    struct peek : caf::detail::test_actor_clock {
      static auto& schedule(caf::detail::test_actor_clock& c) { return c.*(&peek::schedule_); }
    };
    auto& clock = scheduler.clock();
    auto& pending = peek::schedule(clock);
    if (pending.empty()) return {std::numeric_limits<std::int64_t>::max()};
    const auto wait = std::chrono::ceil<millis>(pending.begin()->first - clock.current_time);
    return now + std::max(wait, millis{0});
  }

  struct testing_config : caf::actor_system_config {
    testing_config() {
      set("scheduler.policy", caf::atom("testing"));
      set("logger.verbosity", caf::atom("quiet"));
    }
  };

  virtual_clock time;
  testing_config config;
  caf::actor_system system;
  caf::scheduler::test_coordinator& scheduler;
  std::shared_ptr<timer_horizon> horizon = std::make_shared<timer_horizon>();
  timers_actor timers;

private:
  std::vector<caf::actor_addr> askers_;
  void step(millis by) {
    time.advance(by);
    scheduler.advance_time(by);
    if (horizon->wants_tick(time.boot_now())) caf::anon_send(timers, timer_tick{time.boot_now()});
    run();
  }
};

} // namespace poseidon::test
