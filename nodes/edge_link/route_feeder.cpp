#include "nodes/edge_link/route_feeder.hpp"

#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"
#include "nodes/edge_link/link_effects.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {

namespace {

/// To itself: what the other members said.
struct host_answered {
  using poseidon_message = void;
  std::string host;
  std::optional<route> where;
};
using feeder_front = route_feeder_actor::extend<reacts_to<host_answered>>;

struct feeder_state {
  feeder_front::pointer self = nullptr;
  route_feeder_deps deps;
  std::optional<route_view> view;
  std::uint64_t incarnation = 0; ///< of the replica
  std::unordered_map<std::string, std::vector<std::function<void()>>> asking;
  std::unordered_map<std::string, boot_time> unknown; ///< hosts that nobody knew, until then

  /// Until the image is there: what comes without it says nothing of what does not change.
  void subscribe() {
    const auto asked = deps.clock->boot_now();
    ask(self, deps.ledger, deps.ask_timeout, subscribe_ledger{caf::actor_cast<ledger_subscriber>(self)},
        [this](const ledger_image_ptr& image) {
          incarnation = image->at.incarnation;
          for (auto& node : image->nodes) tell(*node);
          for (auto& row : image->instances) tell(row);
        },
        [this, asked](const failure& why) {
          spdlog::warn("routes: the ledger gives no image yet: {}", why.detail);
          if (deps.clock->boot_now() - asked >= deps.ask_timeout) subscribe(); // else it has ended, and this process with it
        });
  }
  void changed(const ledger_changes& changes) {
    for (auto& change : *changes) {
      incarnation = change.at.incarnation;
      for (auto& node : change.nodes) tell(*node);
      for (auto& row : change.instances) tell(row);
    }
  }
  void tell(const node_row& node) {
    for (auto& news : view->told(node, deps.clock->wall_now())) pass_on(std::move(news));
  }
  void tell(const row_ptr& row) { pass_on(view->told(row, deps.clock->wall_now())); }

  void pass_on(route_news news) {
    std::visit(overloaded{
                   [](std::monostate) {},
                   [this](announce_route& waiting) {
                     const auto known = deps.known ? deps.known(waiting.host) : std::nullopt;
                     if (!known || known->epoch < waiting.epoch) to_router(std::move(waiting), [] {});
                   },
                   [this](end_route& over) {
                     // What has ended has ended in every copy, also in one that this log forgot when it began anew.
                     const auto known = deps.known ? deps.known(over.host) : std::nullopt;
                     if (known && known->instance == over.instance && known->epoch.incarnation <= incarnation) over.epoch = std::max(over.epoch, known->epoch);
                     to_router(std::move(over), [] {});
                   },
                   [this](auto& other) { to_router(std::move(other), [] {}); },
               },
               news);
  }
  template <class Message>
  void to_router(Message message, std::function<void()> then) {
    ask(
        self, deps.router, deps.ask_timeout, std::move(message), [then](const route_acked&) { then(); },
        [then](const failure& why) {
          if (why.code != errc::stale) spdlog::warn("routes: the edge did not take what the ledger says: {}", why.detail);
          then();
        });
  }

  void question(const ask_host& m) {
    if (!deps.ask || is_unknown(m.host)) return m.done();
    if (const auto at = asking.find(m.host); at != asking.end()) {
      at->second.push_back(m.done);
      return;
    }
    if (asking.size() >= deps.questions_max) return m.done();
    asking[m.host].push_back(m.done);
    deps.ask(m.host, [to = caf::actor_cast<feeder_front>(self), host = m.host](std::optional<route> where) {
      caf::anon_send(to, host_answered{host, std::move(where)});
    });
  }
  void answered(const host_answered& m) {
    if (!m.where || m.where->machine.empty() || m.where->machine == deps.machine) {
      if (unknown.size() >= deps.unknown_max) unknown.clear();
      unknown[m.host] = deps.clock->boot_now() + deps.unknown_kept;
      return release(m.host);
    }
    to_router(put_route{{m.host, m.where->instance, m.where->epoch, m.where->machine, {}, {}}}, [this, host = m.host] { release(host); });
  }
  void release(const std::string& host) {
    const auto at = asking.find(host);
    if (at == asking.end()) return;
    const auto waiting = std::move(at->second);
    asking.erase(at);
    for (auto& done : waiting) done();
  }
  bool is_unknown(const std::string& host) {
    const auto at = unknown.find(host);
    if (at == unknown.end()) return false;
    if (deps.clock->boot_now() < at->second) return true;
    unknown.erase(at);
    return false;
  }
};

feeder_front::behavior_type feeder(feeder_front::stateful_pointer<feeder_state> self, route_feeder_deps deps) {
  install_handlers(self, "routes");
  auto& state = self->state;
  state.self = self;
  state.view.emplace(deps.machine);
  state.deps = std::move(deps);
  state.subscribe();
  return {
      [&state](const ledger_changes& changes) { state.changed(changes); },
      [&state](const ask_host& m) { state.question(m); },
      [&state](const host_answered& m) { state.answered(m); },
  };
}

} // namespace

route_feeder_actor spawn_route_feeder(caf::actor_system& system, route_feeder_deps deps) { return system.spawn(feeder, std::move(deps)); }

void host_questions::ask(const std::string& host, std::function<void()> done) const {
  const std::lock_guard lock{mutex_};
  if (feeder_) caf::anon_send(feeder_, ask_host{host, std::move(done)});
  else done();
}

} // namespace poseidon
