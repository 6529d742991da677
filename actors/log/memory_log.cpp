#include "actors/log/memory_log.hpp"

#include "actors/kit/handlers.hpp"

#include <algorithm>

namespace poseidon {
namespace {

failure away() { return {errc::ledger_unavailable, "the log does not answer", {}, {}, {}}; }

bool take(std::uint32_t& count) { return count > 0 && (--count, true); }

struct memory_log_state {
  static constexpr const char* name = "memory_log";
  memory_log_actor::pointer self = nullptr;
  memory_log_deps deps;
  log_followers followers;
  std::vector<append_to_log> held; ///< appends not yet let through

  void append(const append_to_log& m);
  void append_one(const log_sink& from, const entry_ptr& what);
  void release();
  caf::result<outcome<log_extent>> follow(const follow_log& m);
  void consumed(const log_consumed& m);
  outcome<logged_entry> read(const read_log& m) const;
  outcome<log_extent> extent() const;
  outcome<done> trim(const trim_log& m);
  void connection(const log_connection& m);
  void deliver();
  void deliver_to(log_follower& follower);
};

} // namespace

// --- store ----------------------------------------------------------------------------------------------------------

const logged_entry* memory_log_store::at(std::uint64_t sequence) const {
  return sequence < first || sequence > last() ? nullptr : &entries[static_cast<std::size_t>(sequence - first)];
}

const logged_entry& memory_log_store::append(entry_ptr what, wall_time now) {
  return entries.emplace_back(logged_entry{last() + 1, now, std::move(what), nullptr});
}

void memory_log_store::wipe() {
  entries.clear();
  first = 1;
  log += "'";
}

void memory_log_store::roll_back(std::uint64_t to) {
  if (to < last()) entries.resize(static_cast<std::size_t>(to + 1 - std::min(to + 1, first)));
}

// --- front ----------------------------------------------------------------------------------------------------------

void memory_log_state::append(const append_to_log& m) {
  if (deps.faults->hold) return held.push_back(m);
  for (auto& what : m.entries) append_one(m.from, what);
  deliver();
}

void memory_log_state::append_one(const log_sink& from, const entry_ptr& what) {
  auto& faults = *deps.faults;
  if (faults.away || take(faults.fail_appends)) return self->send(from, log_append_failed{what->id, away()});
  if (take(faults.lose_appends)) return;
  deps.store->append(what, deps.time->wall_now());
  if (take(faults.duplicate_appends)) deps.store->append(what, deps.time->wall_now());
  if (take(faults.lose_acks))
    self->send(from, log_append_failed{what->id, {errc::unknown_outcome, "no acknowledgement came", {}, {}, {}}});
}

void memory_log_state::release() {
  for (auto& m : std::exchange(held, {}))
    for (auto& what : m.entries) append_one(m.from, what);
  deliver();
}

caf::result<outcome<log_extent>> memory_log_state::follow(const follow_log& m) {
  auto answer = self->make_response_promise<outcome<log_extent>>();
  auto extent = deps.store->extent();
  auto refusal = deps.faults->away ? away() : refuse_follow(extent, m.after).value_or(failure{});
  if (refusal) return answer.deliver(outcome<log_extent>{std::move(refusal)}), answer;
  if (!followers.find(m.sink.address())) self->monitor(m.sink);
  answer.deliver(outcome<log_extent>{extent}); // before the first batch
  deliver_to(followers.follow(m.sink, m.after));
  return answer;
}

void memory_log_state::consumed(const log_consumed& m) {
  followers.consumed(m.sink, m.sequence);
  deliver();
}

outcome<logged_entry> memory_log_state::read(const read_log& m) const {
  if (deps.faults->away) return away();
  if (auto* found = deps.store->at(m.sequence)) return *found;
  return failure{errc::not_found, "the log has no entry " + std::to_string(m.sequence), {}, {}, {}};
}

outcome<log_extent> memory_log_state::extent() const {
  if (deps.faults->away) return away();
  return deps.store->extent();
}

outcome<done> memory_log_state::trim(const trim_log& m) {
  if (deps.faults->away) return away();
  auto& store = *deps.store;
  auto keep_from = std::clamp(m.before, store.first, store.last() + 1);
  store.entries.erase(store.entries.begin(), store.entries.begin() + static_cast<std::ptrdiff_t>(keep_from - store.first));
  store.first = keep_from;
  return done{};
}

void memory_log_state::connection(const log_connection& m) {
  deps.faults->away = !m.connected;
  for (auto& follower : followers.all()) {
    follower.halted = true;
    self->send(follower.sink, m);
  }
}

void memory_log_state::deliver() {
  if (deps.faults->away) return;
  for (auto& follower : followers.all()) deliver_to(follower);
}

void memory_log_state::deliver_to(log_follower& follower) {
  auto& store = *deps.store;
  if (lost_place(follower, store.extent())) {
    follower.halted = true;
    return self->send(follower.sink, log_connection{true});
  }
  while (auto count = sendable(follower, store.last())) {
    auto from = store.entries.begin() + static_cast<std::ptrdiff_t>(follower.sent + 1 - store.first);
    auto batch = std::make_shared<std::vector<logged_entry>>(from, from + static_cast<std::ptrdiff_t>(count));
    follower.sent += count;
    self->send(follower.sink, log_batch{std::move(batch), store.last()});
  }
}

memory_log_actor::behavior_type memory_log_behavior(memory_log_actor::stateful_pointer<memory_log_state> self, memory_log_deps deps) {
  auto& s = self->state;
  s.self = self;
  s.deps = std::move(deps);
  if (!s.deps.faults) s.deps.faults = std::make_shared<memory_log_faults>();
  install_handlers(self, memory_log_state::name);
  self->set_down_handler([self](const caf::down_msg& m) { self->state.followers.drop(m.source); });
  return {
      [self](const append_to_log& m) { self->state.append(m); },
      [self](const follow_log& m) { return self->state.follow(m); },
      [self](const log_consumed& m) { self->state.consumed(m); },
      [self](const read_log& m) { return self->state.read(m); },
      [self](const get_log_extent&) { return self->state.extent(); },
      [self](const trim_log& m) { return self->state.trim(m); },
      [self](const release_held&) { self->state.release(); },
      [self](const log_connection& m) { self->state.connection(m); },
  };
}

memory_log_actor spawn_memory_log(caf::actor_system& system, memory_log_deps deps) {
  return system.spawn(memory_log_behavior, std::move(deps));
}

} // namespace poseidon
