#pragma once
// The view's one writer: subscribes to the ledger, listens to the nodes, makes events.

#include "actors/interfaces.hpp"
#include "gateway/events.hpp"

namespace poseidon::gateway {

using view_handle = caf::typed_actor<reacts_to<ledger_changes>, reacts_to<instance_progress>, reacts_to<phase_timing>>;

/// URLs of the API are known only once it is bound; events may come before.
using shared_urls = std::atomic<std::shared_ptr<const url_rules>>;

struct view_actor_deps {
  ledger_actor ledger;
  std::shared_ptr<view> into;
  std::shared_ptr<event_ring> events;
  std::shared_ptr<const shared_urls> urls;
  std::shared_ptr<const poseidon::clock> clock;
  std::function<void(const phase_timing&)> on_timing;      ///< for histograms; thread-safe
  std::function<void(const ledger_change&)> on_change;     ///< told of every entry after it is visible; may be empty
  millis subscribe_timeout{10'000};
};

/// Subscribes by itself; asks again when the ledger does not answer in time.
view_handle spawn_view(caf::actor_system& system, view_actor_deps deps);

} // namespace poseidon::gateway
