#include "actors/membership/membership.hpp"

#include "actors/bus/wire.hpp"
#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"
#include "messages/subjects.hpp"

#include <spdlog/spdlog.h>

#include <set>

namespace poseidon {
namespace {

struct heartbeat_came {
  using poseidon_message = void;
  std::string frame;
};
struct bus_changed {
  using poseidon_message = void;
  bool connected = false;
};
using inner = membership_actor::extend<reacts_to<heartbeat_came>, reacts_to<bus_changed>>;

struct membership_state {
  inner::pointer self;
  membership_deps deps;
  std::optional<member_table> table;
  std::map<node_name, std::shared_ptr<const node_row>> nodes;
  bool has_image = false;
  std::set<std::string> strangers; ///< told of once

  explicit membership_state(inner::pointer me) : self(me) {}

  void start(membership_deps given) {
    deps = std::move(given);
    table.emplace(deps.limits);
    const auto to = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl());
    deps.bus->subscribe(subjects::heartbeats(deps.cluster), {}, [to](bus_message came) {
      if (auto alive = caf::actor_cast<caf::strong_actor_ptr>(to)) caf::anon_send(caf::actor_cast<inner>(alive), heartbeat_came{std::move(came.frame)});
    });
    deps.bus->watch([to](bool connected) {
      if (auto alive = caf::actor_cast<caf::strong_actor_ptr>(to)) caf::anon_send(caf::actor_cast<inner>(alive), bus_changed{connected});
    });
    tick();
  }

  void tick() {
    const auto now = deps.clock->boot_now();
    self->send(deps.timers, arm_timer{timer_sink{self}, 0, now + deps.beat});
    table->tick(now);
    if (!has_image) subscribe();
    ask(
        self, deps.ledger, deps.beat, get_ledger_status{},
        [this](ledger_status status) {
          table->log(status.connected, deps.clock->boot_now());
          deps.self.folded = status.folded;
          say();
        },
        [this](failure) {
          table->log(false, deps.clock->boot_now());
          say();
        });
    declare(now);
    deps.board->put(table->members(now));
  }

  void subscribe() {
    ask(
        self, deps.ledger, deps.beat, subscribe_ledger{ledger_subscriber{self}},
        [this](ledger_image_ptr image) {
          has_image = true;
          nodes.clear();
          for (auto& row : image->nodes) nodes[row->name] = row;
        },
        [](failure) {}); // asked again at the next tick
  }
  void changed(const ledger_changes& changes) {
    for (auto& change : *changes) {
      if (change.cause && std::holds_alternative<incarnation_entry>(change.cause->body)) has_image = false;
      for (auto& row : change.nodes) nodes[row->name] = row;
    }
  }

  /// With the node's own word where there is a node: one that does not answer is not spoken for.
  void say() {
    const auto node = deps.node ? deps.node() : supervisor_actor{};
    if (!node) return publish({});
    ask(
        self, node, deps.beat, get_node_status{}, [this](node_status status) { publish(std::move(status)); },
        [this](failure) { publish({}); });
  }
  void publish(std::optional<node_status> node) {
    auto said = deps.self;
    said.node = std::move(node);
    deps.bus->publish(subjects::heartbeat(deps.cluster, said.process), encode_frame(said));
  }

  void heard(const heartbeat_came& m) {
    auto said = decode_heartbeat(m.frame);
    if (!said) return spdlog::debug("membership: a heartbeat can't be read: {}", said.error.detail);
    const auto name = said->process;
    if (!table->heard(std::move(*said), deps.clock->boot_now()) && strangers.insert(name).second)
      spdlog::error("membership: process {} has another cluster key, and is no member: join it with a token of this cluster", name);
  }
  void bus(const bus_changed& m) { table->bus(m.connected, deps.clock->boot_now()); }

  void declare(boot_time now) {
    if (!deps.declares || !has_image) return;
    std::vector<std::shared_ptr<const node_row>> rows;
    for (auto& [name, row] : nodes) rows.push_back(row);
    for (auto& lost : table->lost(rows, now, deps.clock->wall_now())) {
      spdlog::warn("membership: node {} has been silent for {} ms: it counts as lost", lost.node.value, deps.limits.lost_after.count());
      ask(
          self, deps.ledger, millis{5'000}, append_entry{std::move(lost)}, [](folded) {},
          [](failure why) { spdlog::warn("membership: the loss of a node is not in the ledger yet: {}", why.detail); });
    }
  }
};

inner::behavior_type membership_behavior(inner::stateful_pointer<membership_state> self, membership_deps deps) {
  install_handlers(self, "membership");
  auto* s = &self->state;
  s->start(std::move(deps));
  return {
      [s](const ledger_changes& changes) { s->changed(changes); },
      [s](const timer_due&) { s->tick(); },
      [s](const heartbeat_came& m) { s->heard(m); },
      [s](const bus_changed& m) { s->bus(m); },
  };
}

} // namespace

membership_actor spawn_membership(caf::actor_system& system, membership_deps deps) {
  return system.spawn(membership_behavior, std::move(deps));
}

} // namespace poseidon
