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
  std::uint32_t in_force = 1; ///< the fold's version, as far as this process has heard of it
  bool activating = false;
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
    activate(now);
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
      if (const auto* begun = change.cause ? std::get_if<activate_entry>(&change.cause->body) : nullptr)
        in_force = std::max(in_force, std::min(begun->fold_version, deps.self.fold_version));
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
    said.at = deps.clock->wall_now();
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

  std::vector<std::shared_ptr<const node_row>> rows() const {
    std::vector<std::shared_ptr<const node_row>> all;
    for (auto& [name, row] : nodes) all.push_back(row);
    return all;
  }

  /// Whichever gateway comes first: the others' entries have no effect then, nor has one of a gateway that was not there.
  void activate(boot_time now) {
    if (!deps.declares || !has_image || activating) return;
    const auto common = table->common_fold_version(rows(), now);
    if (!common || std::min(*common, deps.self.fold_version) <= in_force) return;
    activating = true;
    const auto version = std::min(*common, deps.self.fold_version);
    ask(
        self, deps.ledger, millis{5'000}, append_entry{activate_entry{version}},
        [this, version](folded answer) {
          activating = false;
          if (answer.verdict.kind == verdict_kind::refused) return;
          in_force = std::max(in_force, version);
          if (answer.verdict.kind == verdict_kind::accepted) spdlog::info("membership: every member folds by version {} of the rules from now on", version);
        },
        [this](failure why) {
          activating = false;
          spdlog::warn("membership: newer rules of the fold are not in force yet: {}", why.detail);
        });
  }

  void declare(boot_time now) {
    if (!deps.declares || !has_image) return;
    for (auto& lost : table->lost(rows(), now, deps.clock->wall_now())) {
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
