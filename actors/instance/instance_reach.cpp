// How the instance actor becomes reachable, and unreachable: health checks and the edge's route.

#include "actors/instance/instance_core.hpp"
#include "actors/instance/plan.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr millis probe_answer_grace{1'500}; ///< beyond the probe's own timeout
constexpr millis image_health_limit{11'000};
constexpr millis route_limit{2'000};
constexpr millis cut_limit{100}; ///< an edge that does not answer must not keep an expired instance alive
constexpr int route_tries = 3;

bool acknowledges(const route_acked& ack, const group_key& key) { return ack.instance == key.instance && ack.epoch == key.epoch; }

} // namespace

/// Nothing follows from the answer: none is asked for.
void instance_core::announce() {
  if (deps_->router) caf::anon_send(deps_->router, announce_route{record().host, record().instance, record().epoch});
}

void instance_core::probe() {
  const auto& health = record().spec->services.front().health;
  if (health.kind == health_kind::none) {
    ++operation_;
    fire(trigger::healthy);
    return;
  }
  if (health.kind == health_kind::image) {
    probe_image();
    return;
  }
  probe_endpoint request{*where(), health, record().host, deps_->probe_timeout.count()};
  if (health.port != 0) request.where.port = health.port;
  const auto number = ++operation_;
  ask(
      self_, deps_->probe, deps_->probe_timeout + probe_answer_grace, std::move(request),
      [this, number](done) {
        if (number == operation_) fire(trigger::healthy);
      },
      [this, number](const failure& f) {
        if (number == operation_) on_probe_failed(f);
      });
}

void instance_core::probe_image() {
  engine_call(
      image_health_limit, inspect_group{key()},
      [this](const group_state& group) {
        const auto* service = routed_service(*record().spec, group);
        if (service && service->running && service->healthy)
          fire(trigger::healthy);
        else if (service && !service->image_health)
          on_probe_failed({errc::never_healthy, "health: image, but the image has no HEALTHCHECK", {}, {}, {}});
        else
          on_probe_failed({errc::never_healthy, "the image's own HEALTHCHECK does not pass", {}, {}, {}});
      },
      [this](const failure& f) { on_probe_failed(f); });
}

void instance_core::on_probe_failed(const failure& f) {
  auto& w = busy();
  const bool too_long = phase_ == phase::restarting && now() - w.began >= millis{record().spec->start_limit_ms};
  w.problem = {errc::never_healthy, f.detail, {}, {}, {}};
  if (too_long) {
    end(end_reason::failed, w.problem);
    fire(trigger::give_up);
  } else {
    fire(trigger::unhealthy);
  }
}

void instance_core::put_route_now() {
  auto& w = busy();
  const auto number = ++operation_;
  if (!deps_->router) {
    if (w.note.empty()) {
      w.note = "no edge on this machine";
      report();
    }
    fire(trigger::unrouted);
    return;
  }
  w.put_at = now();
  w.put_wall = deps_->time->wall_now();
  const auto cut_at = lifetime_end().value_or(w.put_at + millis{record().spec->lifetime_ms});
  ask(
      self_, deps_->router, route_limit, put_route{make_route(record(), deps_->machine, *where(), cut_at)},
      [this, number](const route_acked& ack) {
        if (number != operation_) return;
        fire(acknowledges(ack, key()) ? trigger::routed : trigger::unrouted);
      },
      [this, number](const failure& f) {
        if (number != operation_) return;
        busy().note = "the edge did not acknowledge the route: " + f.detail;
        report();
        fire(trigger::unrouted);
      });
}

void instance_core::cut_route() {
  ++operation_; // whatever was under way is of no interest any more
  if (!deps_->router) return;
  cutting_ = true;
  after_cut_ = effect::nothing;
  const bool replaced = record().reason == end_reason::fenced;
  ask(
      self_, deps_->router, cut_limit, end_route{record().host, record().instance, record().epoch, record().reason, deps_->time->wall_now(), replaced},
      [this](const route_acked&) { after_cut(); },
      [this](const failure& f) {
        spdlog::warn("instance {}: the edge did not acknowledge that its route ended: {}", record().instance.value, f.detail);
        after_cut();
      });
}

void instance_core::after_cut() {
  cutting_ = false;
  perform(std::exchange(after_cut_, effect::nothing));
}

void instance_core::move_route(caf::typed_response_promise<outcome<extended>> promise, extended answer, int tries) {
  if (!deps_->router || !where() || phase_ != phase::running) { // restarting: the next route carries the new deadline
    promise.deliver(outcome<extended>(answer));
    return;
  }
  ask(
      self_, deps_->router, route_limit, put_route{make_route(record(), deps_->machine, *where(), lifetime_end())},
      [promise, answer](const route_acked&) mutable { promise.deliver(outcome<extended>(answer)); },
      [this, promise, answer, tries](failure f) mutable {
        if (f.code == errc::not_found) promise.deliver(outcome<extended>(answer)); // no edge runs: none judges the deadline
        else if (tries + 1 < route_tries)
          move_route(promise, answer, tries + 1);
        else
          promise.deliver(outcome<extended>(failure{errc::unknown_outcome, "the edge did not acknowledge the new deadline: " + f.detail, {}, {}, {}}));
      });
}

} // namespace poseidon
