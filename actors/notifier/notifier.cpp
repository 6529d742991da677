#include "actors/notifier/notifier.hpp"

#include "actors/kit/handlers.hpp"
#include "actors/notifier/notifier_core.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr millis store_limit{10'000}, upkeep_period{3'600'000};

} // namespace

void notifier_core::on_timer(const timer_due& due) {
  switch (due.token) {
  case deliveries:
  case load_again:
    for (auto& [name, r] : receivers) pump(r);
    return;
  case expiry:
    calls.expire(deps.time->boot_now());
    return arm_expiry();
  case begin_again: return subscribe();
  case put_again:
    putting = false;
    return behind ? read_again() : put();
  case save_cursor:
    unsaved = std::numeric_limits<std::size_t>::max() / 2;
    return put();
  case upkeep: return forget_old();
  case beat: return beat_now();
  default: return;
  }
}

void notifier_core::forget_old() {
  arm(upkeep, upkeep_period);
  if (!opened) return;
  const auto now = deps.time->wall_now();
  deps.store->forget(now - deps.options.dead_keep, now - deps.options.retry.give_up, here<std::map<std::string, stored_counts>>([this](const outcome<std::map<std::string, stored_counts>>& counts) {
    if (!counts) return;
    for (auto& [name, r] : receivers) {
      const auto found = counts->find(name);
      r.status.dead = found == counts->end() ? 0 : found->second.dead;
    }
    changed = true;
  }));
}

caf::result<outcome<dead_letters>> notifier_core::list(const list_dead_letters& m) {
  auto answer = self->make_response_promise<outcome<dead_letters>>();
  deps.store->list(m, calls.open<dead_letters>(answer, deps.time->boot_now() + store_limit));
  arm_expiry();
  return answer;
}

caf::result<outcome<replayed_letters>> notifier_core::replay(const replay_dead_letters& m) {
  auto answer = self->make_response_promise<outcome<replayed_letters>>();
  using counts = std::map<std::string, std::uint64_t>;
  auto work = [this, answer, single = m.id != 0](outcome<counts> back) mutable {
    outcome<replayed_letters> told{replayed_letters{}};
    if (!back) told = std::move(back.error);
    else if (back->empty() && single) told = failure{errc::not_found, "there is no such dead letter", {}, {}, {}};
    else was_replayed(*back);
    if (told)
      for (auto& [name, count] : *back) told->count += count;
    answer.deliver(std::move(told));
  };
  deps.store->replay(m, deps.time->wall_now(), calls.open_with<counts>(std::move(work), deps.time->boot_now() + store_limit));
  arm_expiry();
  return answer;
}

void notifier_core::was_replayed(const std::map<std::string, std::uint64_t>& counts) {
  for (auto& [name, count] : counts) {
    auto found = receivers.find(name);
    if (found == receivers.end()) continue;
    auto& r = found->second;
    r.status.pending += count;
    r.status.dead -= std::min(r.status.dead, count);
    r.more = true;
    pump(r);
  }
  changed = true;
}

void notifier_core::publish() {
  if (!std::exchange(changed, false) || !deps.publish) return;
  std::vector<receiver_status> all;
  for (auto& [name, r] : receivers) all.push_back(r.status);
  deps.publish(std::move(all));
}

namespace {

notifier_front::behavior_type notifier_behavior(notifier_front::stateful_pointer<notifier_core> self, notifier_deps deps) {
  install_handlers(self, "notifier");
  auto* s = &self->state;
  s->start(std::move(deps));
  return {
      [s](const ledger_changes& changes) { s->apply(changes); },
      [s](const timer_due& due) {
        s->on_timer(due);
        s->publish();
      },
      [s](const list_dead_letters& m) { return s->list(m); },
      [s](const replay_dead_letters& m) { return s->replay(m); },
      [s](const port_event& event) {
        event.run();
        s->publish();
      },
  };
}

} // namespace

notifier_actor spawn_notifier(caf::actor_system& system, notifier_deps deps) { return system.spawn(notifier_behavior, std::move(deps)); }

} // namespace poseidon
