#include "nodes/route_feeder.hpp"

#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {

namespace {

constexpr millis gone_kept{24LL * 3'600'000};

struct feeder_state {
  ledger_subscriber::pointer self;
  route_feeder_deps deps;

  void subscribe() {
    ask(self, deps.ledger, millis{60'000}, subscribe_ledger{caf::actor_cast<ledger_subscriber>(self)},
        [this](const ledger_image_ptr& image) {
          for (auto& row : image->instances) tell(*row);
        },
        [](const failure& why) { spdlog::warn("routes: the ledger gives no image: {}", why.detail); });
  }
  void changed(const ledger_changes& changes) {
    for (auto& change : *changes)
      for (auto& row : change.instances) tell(*row);
  }
  void tell(const instance_row& row) {
    auto news = news_of(row, deps.clock->wall_now());
    if (auto* waiting = std::get_if<announce_route>(&news)) pass_on(std::move(*waiting));
    else if (auto* over = std::get_if<end_route>(&news)) pass_on(std::move(*over));
  }
  template <class Message>
  void pass_on(Message message) {
    ask(self, deps.router, deps.ask_timeout, std::move(message), [](const route_acked&) {},
        [](const failure& why) {
          if (why.code != errc::stale) spdlog::warn("routes: the edge did not take what the ledger says: {}", why.detail);
        });
  }
};

ledger_subscriber::behavior_type feeder(ledger_subscriber::stateful_pointer<feeder_state> self, route_feeder_deps deps) {
  install_handlers(self, "routes");
  auto& state = self->state;
  state.self = self;
  state.deps = std::move(deps);
  state.subscribe();
  return {[&state](const ledger_changes& changes) { state.changed(changes); }};
}

} // namespace

route_news news_of(const instance_row& row, wall_time now) {
  if (row.phase == ledger_phase::queued) return announce_route{row.host, row.id, row.epoch};
  if (row.phase != ledger_phase::ended) return {};
  const auto at = row.ended_at.value_or(now);
  if (now - at > gone_kept) return {};
  return end_route{row.host, row.id, row.epoch, row.reason, at, false};
}

ledger_subscriber spawn_route_feeder(caf::actor_system& system, route_feeder_deps deps) { return system.spawn(feeder, std::move(deps)); }

} // namespace poseidon
