#include "gateway/view_actor.hpp"

#include "actors/kit/handlers.hpp"

#include <spdlog/spdlog.h>

namespace poseidon::gateway {

namespace {

/// A pull reports often; readers are told of a new phase, and of every tenth part.
constexpr std::uint32_t percent_step = 10;

struct view_state {
  view_actor_deps deps;
  view_handle::pointer self = nullptr;
  std::vector<ledger_changes> early; ///< arrived before the image
  bool has_image = false;

  event_context context() const { return {deps.urls->load(), deps.clock->wall_now()}; }

  /// A silent ledger is asked again; without one there is nothing to show.
  template <class Request>
  void fetch(Request request) {
    self->request(deps.ledger, deps.subscribe_timeout, request)
        .then([this](const ledger_image_ptr& image) { take(image); },
              [this, request](const caf::error& why) {
                if (why != caf::sec::request_timeout) return self->quit(why);
                spdlog::warn("gateway: the ledger did not answer in time; asking again");
                fetch(request);
              });
  }

  /// A new log's first entry replaces the state as a whole: read it anew.
  void read_anew() {
    has_image = false;
    fetch(get_image{});
  }

  void take(const ledger_image_ptr& image) {
    if (!image) return;
    deps.into->load(*image);
    deps.events->reset(image->at);
    has_image = true;
    for (auto& changes : std::exchange(early, {})) apply(changes);
  }

  void apply(const ledger_changes& changes) {
    if (!has_image) {
      early.push_back(changes);
      return;
    }
    for (auto& change : *changes) {
      if (change.at <= deps.into->at()) continue;
      if (change.cause && std::holds_alternative<incarnation_entry>(change.cause->body)) {
        early.push_back(changes);
        return read_anew();
      }
    }
    publish(*changes);
  }

  void publish(const std::vector<ledger_change>& changes) {
    std::vector<event_ptr> events;
    auto now = context();
    for (auto& applied : deps.into->apply(changes)) {
      for (auto& one : events_of(applied, now)) events.push_back(std::move(one));
      if (deps.on_change) deps.on_change(*applied.change);
    }
    deps.events->append(std::move(events), deps.into->at());
  }

  void progress(const instance_progress& p) {
    auto before = deps.into->find(p.instance.value);
    auto after = deps.into->note_progress(p);
    if (!before || !after) return;
    auto step = [](const live_details& live) { return live.percent.value_or(0) / percent_step; };
    bool news = before->live.phase != after->live.phase || step(before->live) != step(after->live) || before->live.note != after->live.note;
    if (!news) return;
    auto at = deps.events->at();
    deps.events->append({progress_event(*after, at, context())}, at);
  }
};

view_handle::behavior_type view_actor(view_handle::stateful_pointer<view_state> self, view_actor_deps deps) {
  auto& state = self->state;
  state.deps = std::move(deps);
  state.self = self;
  install_handlers(self, "gateway view");
  state.fetch(subscribe_ledger{self});
  return {
      [&state](const ledger_changes& changes) { state.apply(changes); },
      [&state](const instance_progress& p) { state.progress(p); },
      [&state](const phase_timing& t) {
        if (state.deps.on_timing) state.deps.on_timing(t);
      },
  };
}

} // namespace

view_handle spawn_view(caf::actor_system& system, view_actor_deps deps) { return system.spawn(view_actor, std::move(deps)); }

} // namespace poseidon::gateway
