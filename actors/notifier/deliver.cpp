// From the store to the receivers.

#include "actors/notifier/notifier_core.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr millis slack{5'000}; ///< beyond the port's own limit
constexpr std::size_t most_error = 300;

} // namespace

void notifier_core::pump(receiver& r) {
  load(r);
  for (auto& attempt : r.table.take_due(deps.time->boot_now())) send(r, attempt);
  arm_deliveries();
}

void notifier_core::load(receiver& r) {
  const auto most = deps.options.in_memory;
  if (!opened || !r.more || r.loading || r.table.size() > most / 2) return;
  r.loading = true;
  r.more = false; // until the answer, or a later event, says otherwise
  const auto wanted = most - r.table.size();
  deps.store->load(r.rule.name, r.loaded, wanted, here<std::vector<stored_item>>([this, &r, wanted, number = ++r.loads](const outcome<std::vector<stored_item>>& items) {
    if (number != r.loads) return;
    r.loading = false;
    if (!items) {
      spdlog::error("notifier: events for {} can't be read: {}", r.rule.name, items.error.detail);
      r.more = true;
      return arm(load_again, deps.options.again);
    }
    for (auto& item : *items)
      if (item.again || stays_own(r, item.what->instance)) r.table.add(item);
    if (!items->empty()) r.loaded = items->back().row;
    if (items->size() == wanted) r.more = true;
    pump(r);
  }));
}

void notifier_core::send(receiver& r, const delivery_attempt& what) {
  auto done = calls.open_with<receiver_reply>([this, &r, row = what.row](const outcome<receiver_reply>& reply) { answered(r, row, reply); },
                                              deps.time->boot_now() + deps.options.send_limit + slack);
  arm_expiry();
  deps.port->send(r.rule.name, what, std::move(done));
}

void notifier_core::answered(receiver& r, std::uint64_t row, const outcome<receiver_reply>& reply) {
  const auto result = judge_reply(reply);
  const bool leaving = r.table.leaving() > 0;
  for (auto& settled : r.table.settle(row, result, deps.time->boot_now(), deps.time->wall_now(), deps.random->next())) note(r, settled);
  changed = true;
  if (leaving && r.table.leaving() == 0) load_anew(r);
  pump(r);
}

void notifier_core::note(receiver& r, const settlement& what) {
  auto& status = r.status;
  const auto now = deps.time->wall_now();
  if (what.what != settlement::kind::delivered) status.last_error = what.why.substr(0, most_error);
  switch (what.what) {
  case settlement::kind::delivered:
    if (status.failing_since) spdlog::info("notifier: {} takes events again", r.rule.name);
    status.failing_since.reset();
    status.last_delivered_at = now;
    ++status.delivered;
    --status.pending;
    return deps.store->drop(what.row);
  case settlement::kind::retried:
    if (!status.failing_since) spdlog::warn("notifier: {} did not take {}: {}", r.rule.name, what.event->id, what.why);
    if (!status.failing_since) status.failing_since = now;
    ++status.retried;
    return;
  case settlement::kind::buried:
    spdlog::error("notifier: {} will not get {} ({}): {}", r.rule.name, what.event->id, what.event->type, what.why);
    ++status.buried;
    ++status.dead;
    --status.pending;
    return deps.store->bury({what.row, what.attempts, status.last_error, now});
  }
}

void notifier_core::arm_deliveries() {
  std::optional<boot_time> next;
  for (auto& [name, r] : receivers)
    if (auto own = r.table.next(); own && (!next || *own < *next)) next = own;
  if (next) self->send(deps.timers, arm_timer{timer_sink{self}, deliveries, *next});
}

} // namespace poseidon
