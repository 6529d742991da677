// Several notifiers share a receiver's instances (docs/notifications.md). Each stores every event; what is another's is watched
// until that one says that it is delivered. So whatever a notifier takes over, it knows of: what it repeats was perhaps
// delivered, what it does not repeat certainly was. No sharing has to be agreed on for that; the changing over in steps only
// spares receivers repeats.

#include "actors/bus/wire.hpp"
#include "actors/notifier/notifier_core.hpp"
#include "messages/digest.hpp"
#include "messages/subjects.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr std::size_t most_open = 1'000; ///< ids in one word

std::string digest_of(const receiver_rule& rule) {
  std::string text{to_string(rule.kind)};
  for (auto& pattern : rule.events) text.append("\n").append(pattern);
  text.append("\n");
  for (auto& pattern : rule.challenges) text.append("\n").append(pattern);
  return sha256_hex(text).substr(0, 16);
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (auto& name : names) all.append(all.empty() ? "" : ", ").append(name);
  return all;
}

} // namespace

void notifier_core::start_sharing() {
  const auto& options = deps.options;
  for (auto& [name, r] : receivers) {
    r.wants = digest_of(r.rule);
    if (!options.members.empty()) r.view = options.members;
    else if (!deps.bus) r.view = {options.self};
    r.next = r.view;
  }
  if (!options.members.empty() || !deps.bus) return;
  peers.emplace(notifier_identity{options.self, options.run, options.key_check}, options.peers);
  const auto to = calls.to_self();
  deps.bus->subscribe(subjects::notifiers(deps.cluster), {},
                      [this, to](bus_message came) { to.post([this, frame = std::move(came.frame)] { heard(frame); }); });
  deps.bus->watch([this, to](bool connected) { to.post([this, connected] { peers->bus(connected, deps.time->boot_now()); }); });
  begin_sharing_anew();
  beat_now();
}

/// Under the present sharing. Before the first one everything is watched: whoever it belongs to, it is kept.
bool notifier_core::is_own(const receiver& r, std::string_view instance) const {
  return !r.view.empty() && notifier_of(instance, r.view) == deps.options.self;
}

/// Whether what waits in the store may be sent. What an earlier run of this process left waits for the first sharing, since
/// another one may have told of it meanwhile; but not for long.
bool notifier_core::stays_own(const receiver& r, std::string_view instance) const {
  if (r.next.empty()) return !holding;
  return (r.next == r.view && !r.moving) || notifier_of(instance, r.next) == deps.options.self;
}

void notifier_core::beat_now() {
  const auto now = deps.time->boot_now();
  arm(beat, deps.options.beat);
  if (peers->tick(now)) begin_sharing_anew();
  if (holding && now - sharing_since >= deps.options.hand_over) release();
  if (!opened) return;
  for (auto& [name, r] : receivers) {
    consider(r);
    say(r);
  }
}

/// This process was away: others tell of what was its own.
void notifier_core::begin_sharing_anew() {
  holding = true;
  sharing_since = deps.time->boot_now();
  for (auto& [name, r] : receivers) {
    r.view.clear();
    r.next.clear();
    r.stopped = true;
    r.moving = false;
    r.table.let_go([](const std::string&) { return true; });
    load_anew(r);
  }
}

void notifier_core::release() {
  holding = false;
  for (auto& [name, r] : receivers)
    if (r.next.empty()) load_anew(r);
}

void notifier_core::consider(receiver& r) {
  auto sharing = peers->sharing(r.rule.name, r.wants, deps.time->boot_now());
  if (sharing && *sharing != r.next) change_to(r, std::move(*sharing));
  go_on_changing(r);
}

void notifier_core::change_to(receiver& r, std::vector<std::string> sharing) {
  spdlog::info("notifier: {} is told by {}", r.rule.name, joined(sharing));
  const bool back = !r.next.empty() && r.next != r.view; // of a change that was not finished: what was let go is loaded again
  r.next = std::move(sharing);
  r.next_since = deps.time->boot_now();
  r.stopped = false;
  r.table.let_go([this, &r](const std::string& instance) { return !stays_own(r, instance); });
  if (back) load_anew(r);
}

void notifier_core::go_on_changing(receiver& r) {
  if (r.moving) { // the store has not answered, or could not: once more, for the sharing that it was asked for
    auto next = std::exchange(r.next, r.view);
    adopt(r);
    r.next = std::move(next);
    return;
  }
  const bool late = deps.time->boot_now() - r.next_since >= deps.options.hand_over;
  if (r.table.leaving() == 0 || late) r.stopped = true;
  if (r.view == r.next || !r.stopped) return;
  const bool told = r.view.empty() || r.next.size() == 1 || r.said == r.next; // the others have this one's last word on the present sharing
  if ((told && peers->ready(r.rule.name, r.next)) || late) adopt(r);
}

/// The store changes over with everything that is put into it from now on. Until it has, nothing is claimed.
void notifier_core::adopt(receiver& r) {
  r.view = r.next;
  r.moving = true;
  deps.store->share(r.rule.name, [self = deps.options.self, view = r.view](std::string_view instance) { return notifier_of(instance, view) == self; },
                    here<std::uint64_t>([this, &r, view = r.view](const outcome<std::uint64_t>& pending) {
                      if (!pending) return spdlog::error("notifier: what {} shares can't be stored: {}", r.rule.name, pending.error.detail); // again with the next beat
                      if (view != r.view) return;
                      r.moving = false;
                      r.status.pending = *pending;
                      changed = true;
                      load_anew(r);
                    }));
}

void notifier_core::load_anew(receiver& r) {
  ++r.loads;
  r.loaded = 0;
  r.loading = false;
  r.more = true;
  pump(r);
}

void notifier_core::say(receiver& r) {
  auto next = r.stopped ? r.next : std::vector<std::string>{};
  if (r.view.empty() || r.moving) return publish_word(r, std::move(next), nullptr);
  if (std::exchange(r.asking, true)) return;
  deps.store->open(r.rule.name, most_open, here<open_events>([this, &r, next = std::move(next), view = r.view](const outcome<open_events>& open) {
                     r.asking = false;
                     const bool claims = open && view == r.view && !r.moving;
                     publish_word(r, next, claims ? &*open : nullptr);
                   }));
}

void notifier_core::publish_word(receiver& r, std::vector<std::string> next, const open_events* open) {
  notifier_word word{deps.options.self, deps.options.run, deps.options.key_check, r.rule.name, r.wants, r.view, std::move(next), {}, {}, {}};
  if (open && open->up_to > r.told_from) {
    word.after = r.told_from;
    word.up_to = open->up_to;
    word.open = open->ids;
  }
  r.said = word.next;
  deps.bus->publish(subjects::notifier(deps.cluster, deps.options.self), encode_frame(word));
}

void notifier_core::heard(const std::string& frame) {
  auto word = decode_notifier_word(frame);
  if (!word || !peers->heard(*word, deps.time->boot_now())) return;
  const auto found = receivers.find(word->receiver);
  if (found == receivers.end() || !opened) return;
  auto& r = found->second;
  if (word->rule == r.wants && !word->view.empty() && word->up_to > word->after)
    deps.store->settle({word->receiver, word->after, word->up_to,
                        [from = word->process, view = word->view](std::string_view instance) { return notifier_of(instance, view) == from; },
                        {word->open.begin(), word->open.end()}});
  if (r.next != r.view && !r.moving) go_on_changing(r);
}

} // namespace poseidon
