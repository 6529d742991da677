// From the ledger to the store: where this notifier left off, what it missed, what happens from now on.

#include "actors/kit/ask.hpp"
#include "actors/notifier/notifier_core.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr millis ledger_timeout{10'000}, history_timeout{120'000}, cursor_delay{5'000};
constexpr std::size_t most_unsaved = 1'000; ///< changes; so many are looked at once more after a crash

bool begins_anew(const ledger_change& change) { return change.cause && std::holds_alternative<incarnation_entry>(change.cause->body); }

} // namespace

void notifier_core::start(notifier_deps given) {
  deps = std::move(given);
  for (auto& rule : deps.receivers) {
    const auto parallel = rule.kind == receiver_kind::discord ? 1 : rule.parallel; // a channel reads in one order
    auto& r = receivers.try_emplace(rule.name, rule, delivery_table{parallel, deps.options.retry}).first->second;
    r.status.name = rule.name;
    r.status.type = rule.kind;
  }
  start_sharing();
  changed = true;
  publish();
  forget_old();
  subscribe();
}

void notifier_core::subscribe() {
  ask(
      self, deps.ledger, ledger_timeout, subscribe_ledger{self}, [this](const ledger_image_ptr& given) { take_image(given); },
      [this](const failure& why) {
        spdlog::warn("notifier: the ledger does not answer: {}", why.detail);
        arm(begin_again, deps.options.again);
      });
}

void notifier_core::take_image(const ledger_image_ptr& given) {
  if (!given) return arm(begin_again, deps.options.again);
  image = given;
  if (opened) resume();
  else open_store();
}

void notifier_core::open_store() {
  std::vector<std::string> names;
  for (auto& [name, r] : receivers) names.push_back(name);
  deps.store->open(names, image->at, deps.time->wall_now(), here<notify_start>([this](const outcome<notify_start>& start) {
    if (!start) {
      spdlog::error("notifier: the store can't be read: {}", start.error.detail);
      return arm(begin_again, deps.options.again);
    }
    opened = true;
    reached = start->cursor;
    stored = start->cursor.value_or(position{});
    for (auto& [name, r] : receivers) {
      if (auto since = start->since.find(name); since != start->since.end()) r.since = r.told_from = since->second;
      if (auto counts = start->counts.find(name); counts != start->counts.end()) {
        r.status.pending = counts->second.pending;
        r.status.dead = counts->second.dead;
      }
      pump(r);
    }
    changed = true;
    resume();
  }));
}

void notifier_core::resume() {
  if (!reached || *reached >= image->at) { // the first time; or the log was replaced by an older one
    deps.source->load(*image);
    reached = image->at;
    ++unsaved;
    return follow();
  }
  self->request(deps.history, history_timeout, read_history{*reached, image->at})
      .then([this](const outcome<ledger_history_ptr>& history) { catch_up(history); },
            [this](const caf::error& e) { catch_up(outcome<ledger_history_ptr>{failure_of(e)}); });
}

void notifier_core::catch_up(const outcome<ledger_history_ptr>& history) {
  if (!history && history.error.code == errc::unknown_outcome) return arm(begin_again, deps.options.again);
  std::vector<notification_ptr> events;
  if (history) {
    for (auto& part : (*history)->parts) {
      deps.source->load(*part.image);
      for (auto& event : deps.source->apply(part.changes)) events.push_back(event);
    }
    deps.source->load(*image);
  } else {
    spdlog::warn("notifier: what happened between {} and {} can't be read any more ({}): receivers are told where instances stand now",
                 to_string(*reached), to_string(image->at), history.error.detail);
    deps.source->load(*image);
    events = deps.source->missed(*image, *reached);
    for (auto& [name, r] : receivers) r.told_from = image->at; // others may have read what this one has not
  }
  take(events, image->at);
  follow();
}

void notifier_core::follow() {
  following = true;
  image.reset();
  for (auto& changes : std::exchange(early, {})) apply(changes);
  put();
}

void notifier_core::apply(const ledger_changes& changes) {
  if (!following) {
    early.push_back(changes);
    return;
  }
  for (auto& change : *changes) {
    if (change.at <= *reached || !begins_anew(change)) continue;
    following = false; // a new log's first entry replaces the state as a whole: read it anew
    early.push_back(changes);
    return subscribe();
  }
  if (behind || changes->empty() || changes->back().at <= *reached) return;
  unsaved += changes->size();
  take(deps.source->apply(*changes), changes->back().at);
  if (unstored.size() > deps.options.most_unstored) {
    behind = true;
    unstored.clear();
  }
  put();
}

void notifier_core::take(const std::vector<notification_ptr>& events, struct position up_to) {
  for (auto& event : events)
    for (auto& [name, r] : receivers) {
      if (event->at <= r.since || !wants(r.rule, *event)) continue;
      if (peers || is_own(r, event->instance)) unstored.push_back({name, event});
    }
  reached = std::max(*reached, up_to);
}

void notifier_core::read_again() {
  behind = following = false;
  early.clear();
  if (stored == position{}) reached.reset();
  else reached = stored;
  subscribe();
}

void notifier_core::put() {
  if (putting || behind || !reached || (unstored.empty() && unsaved == 0)) return;
  if (unstored.empty() && unsaved < most_unsaved && stored != position{}) return arm(save_cursor, cursor_delay);
  putting = true;
  unsaved = 0;
  put_items sorted{*reached, {}, deps.time->wall_now()};
  for (auto& item : std::exchange(unstored, {}))
    (is_own(receivers.at(item.receiver), item.what->instance) ? sorted.items : sorted.watched).push_back(std::move(item));
  auto what = std::make_shared<const put_items>(std::move(sorted));
  deps.store->put(*what, here<put_result>([this, what](const outcome<put_result>& done) { was_put(done, what); }));
}

void notifier_core::was_put(const outcome<put_result>& done, const std::shared_ptr<const put_items>& what) {
  putting = false;
  if (!done) {
    spdlog::error("notifier: events can't be stored: {}", done.error.detail);
    if (!behind)
      for (auto* items : {&what->watched, &what->items}) unstored.insert(unstored.begin(), items->begin(), items->end());
    ++unsaved;
    putting = true; // until the timer
    return arm(put_again, deps.options.again);
  }
  stored = what->cursor;
  for (auto& [name, count] : done->added) {
    auto& r = receivers.at(name);
    r.status.pending += count;
    r.more = true;
    changed = true;
    pump(r);
  }
  if (behind) read_again();
  else put();
}

} // namespace poseidon
