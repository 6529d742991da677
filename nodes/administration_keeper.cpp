#include "nodes/administration_keeper.hpp"

#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace poseidon {

std::vector<entry_body> administration_to_append(const administration& admin, const put_key_entry& admin_key, const limit_table& limits) {
  std::vector<entry_body> missing;
  const bool known = std::any_of(admin.keys.begin(), admin.keys.end(),
                                 [&](const put_key_entry& key) { return key.key == admin_key.key && key.sha256 == admin_key.sha256; });
  if (!known) missing.push_back(admin_key);
  if (admin.limits != limits) missing.push_back(put_limits_entry{limits});
  return missing;
}

std::vector<entry_body> nodes_to_give_up(const ledger_image& image, const node_name& sole, wall_time now) {
  std::vector<entry_body> lost;
  for (const auto& node : image.nodes)
    if (!node->lost && node->name != sole) lost.push_back(node_lost_entry{node->name, node->run, now});
  return lost;
}

namespace {

struct keeper_state {
  keeper_actor::pointer self;
  keeper_deps deps;
  bool looking = false, look_again = false;

  /// Until the image is there: administration may not change again for days.
  void subscribe() {
    const auto asked = deps.clock->boot_now();
    ask(self, deps.ledger, deps.image_timeout, subscribe_ledger{caf::actor_cast<ledger_subscriber>(self)},
        [this](const ledger_image_ptr& image) { compare(*image); },
        [this, asked](const failure& why) {
          spdlog::warn("administration: the ledger gives no image yet: {}", why.detail);
          if (deps.clock->boot_now() - asked >= deps.image_timeout) subscribe(); // else it has ended, and this process with it
        });
  }

  void changed(const ledger_changes& changes) {
    if (std::any_of(changes->begin(), changes->end(), [](const ledger_change& c) { return c.administration; })) look();
  }

  void look() {
    if (looking) {
      look_again = true;
      return;
    }
    looking = true;
    ask(self, deps.ledger, deps.append_timeout, get_image{},
        [this](const ledger_image_ptr& image) {
          looking = false;
          compare(*image);
          if (std::exchange(look_again, false)) look();
        },
        [this](const failure&) { looking = look_again = false; });
  }

  void compare(const ledger_image& image) {
    const auto& admin = image.admin;
    if (deps.apply) deps.apply(admin.settings);
    if (deps.admin_key) append(administration_to_append(admin, *deps.admin_key, deps.limits(admin.settings)));
    if (deps.sole_node) append(nodes_to_give_up(image, *deps.sole_node, deps.clock->wall_now()));
  }

  void append(std::vector<entry_body> bodies) {
    for (auto& body : bodies)
      ask(self, deps.ledger, deps.append_timeout, append_entry{std::move(body)}, [](const folded&) {},
          [](const failure& why) { spdlog::warn("administration: an entry was not appended: {}", why.detail); });
  }
};

keeper_actor::behavior_type keeper(keeper_actor::stateful_pointer<keeper_state> self, keeper_deps deps) {
  install_handlers(self, "administration");
  auto& state = self->state;
  state.self = self;
  state.deps = std::move(deps);
  state.subscribe();
  return {[&state](const ledger_changes& changes) { state.changed(changes); }};
}

} // namespace

keeper_actor spawn_administration_keeper(caf::actor_system& system, keeper_deps deps) { return system.spawn(keeper, std::move(deps)); }

} // namespace poseidon
