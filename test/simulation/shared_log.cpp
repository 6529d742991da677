#include "test/simulation/shared_log.hpp"

#include "actors/kit/handlers.hpp"

#include <algorithm>

namespace poseidon::simulation {
namespace {

constexpr std::uint64_t most_late_ms = 5'000, most_reconnect_ms = 400;

failure away() { return {errc::ledger_unavailable, "the log does not answer", {}, {}, {}}; }

struct front_state {
  static constexpr const char* name = "shared_log";
  shared_log_front::pointer self = nullptr;
  std::shared_ptr<log_server> server;
  std::shared_ptr<log_line> line;
  log_followers followers;

  std::uint64_t generation = 0; ///< of the connection, as far as this process has noticed: what was frozen notices later

  bool reachable() const { return line->connected && server->up() && generation == line->generation; }

  void append(const append_to_log& m) {
    if (reachable()) return server->send(line, m.from, m.entries);
    for (auto& what : m.entries) self->send(m.from, log_append_failed{what->id, away()});
  }

  caf::result<outcome<log_extent>> follow(const follow_log& m) {
    auto answer = self->make_response_promise<outcome<log_extent>>();
    const auto extent = server->store.extent();
    auto refusal = reachable() ? refuse_follow(extent, m.after).value_or(failure{}) : away();
    if (refusal) return answer.deliver(outcome<log_extent>{std::move(refusal)}), answer;
    if (!followers.find(m.sink.address())) self->monitor(m.sink);
    answer.deliver(outcome<log_extent>{extent}); // before the first batch
    line->visible = extent.last;
    deliver_to(followers.follow(m.sink, m.after));
    return answer;
  }

  outcome<logged_entry> read(const read_log& m) const {
    if (!reachable()) return away();
    if (auto* found = server->store.at(m.sequence)) return *found;
    return failure{errc::not_found, "the log has no entry " + std::to_string(m.sequence), {}, {}, {}};
  }
  outcome<log_extent> extent() const {
    if (!reachable()) return away();
    return server->store.extent();
  }

  void connection(const log_connection& m) {
    generation = line->generation;
    for (auto& follower : followers.all()) {
      follower.halted = true;
      self->send(follower.sink, m);
    }
  }

  void consumed(const log_consumed& m) {
    followers.consumed(m.sink, m.sequence);
    deliver();
  }
  void deliver() {
    if (!reachable()) return;
    for (auto& follower : followers.all()) deliver_to(follower);
  }
  void deliver_to(log_follower& follower) {
    auto& store = server->store;
    if (lost_place(follower, store.extent())) {
      follower.halted = true;
      return self->send(follower.sink, log_connection{true});
    }
    const auto end = std::min(line->visible, store.last());
    while (auto count = sendable(follower, end)) {
      auto from = store.entries.begin() + static_cast<std::ptrdiff_t>(follower.sent + 1 - store.first);
      auto batch = std::make_shared<std::vector<logged_entry>>(from, from + static_cast<std::ptrdiff_t>(count));
      follower.sent += count;
      self->send(follower.sink, log_batch{std::move(batch), end});
    }
  }
};

shared_log_front::behavior_type front_behavior(shared_log_front::stateful_pointer<front_state> self, std::shared_ptr<log_server> server,
                                               std::shared_ptr<log_line> line) {
  auto* s = &self->state;
  s->self = self;
  s->server = std::move(server);
  s->line = std::move(line);
  s->generation = s->line->generation;
  install_handlers(self, front_state::name);
  self->set_down_handler([self](const caf::down_msg& m) { self->state.followers.drop(m.source); });
  return {
      [s](const append_to_log& m) { s->append(m); },
      [s](const follow_log& m) { return s->follow(m); },
      [s](const log_consumed& m) { s->consumed(m); },
      [s](const read_log& m) { return s->read(m); },
      [s](const get_log_extent&) { return s->extent(); },
      [](const trim_log&) { return outcome<done>{done{}}; }, // an episode is too short for anything to be dropped
      [s](const log_arrived&) { s->deliver(); },
      [s](const log_connection& m) { s->connection(m); },
  };
}

} // namespace

shared_log_front spawn_shared_log(caf::actor_system& system, std::shared_ptr<log_server> server, std::shared_ptr<log_line> line) {
  auto front = system.spawn(front_behavior, std::move(server), line);
  line->front = front;
  return front;
}

std::shared_ptr<log_line> log_server::connect(std::string process, line_faults faults) {
  auto line = std::make_shared<log_line>();
  line->connected = !cut_.contains(process);
  line->process = std::move(process);
  line->faults = faults;
  line->visible = store.last();
  lines_.push_back(line);
  return line;
}

void log_server::drop(const std::shared_ptr<log_line>& line) {
  line->alive = line->connected = false;
  line->front = nullptr;
  std::erase(lines_, line);
}

void log_server::set_connected(const std::shared_ptr<log_line>& line, bool connected) {
  if (!line->alive || line->connected == connected) return;
  line->connected = connected;
  ++line->generation;
  line->visible = store.last();
  caf::anon_send(line->front, log_connection{connected});
}

void log_server::cut(const std::shared_ptr<log_line>& line, bool away) {
  if (away) cut_.insert(line->process);
  else cut_.erase(line->process);
  set_connected(line, !away && up_);
}

void log_server::go_away() {
  up_ = false;
  for (auto& line : lines_) set_connected(line, false);
}

void log_server::come_back() {
  up_ = true;
  for (auto& line : lines_)
    events_.after(millis{static_cast<std::int64_t>(random_->below(most_reconnect_ms))}, [this, line] {
      if (up_ && !cut_.contains(line->process)) set_connected(line, true);
    });
}

void log_server::break_all() {
  if (!up_) return;
  go_away();
  come_back();
}

void log_server::wipe() {
  store.wipe();
  break_all();
}

void log_server::roll_back(std::uint64_t last) {
  store.roll_back(last);
  break_all();
}

void log_server::trim(std::uint64_t before) {
  const auto keep_from = std::min(before, store.last());
  if (keep_from <= store.first) return;
  store.entries.erase(store.entries.begin(), store.entries.begin() + static_cast<std::ptrdiff_t>(keep_from - store.first));
  store.first = keep_from;
}

void log_server::fail(const log_sink& from, const entry_ptr& what, errc code) const {
  caf::anon_send(from, log_append_failed{what->id, {code, "no acknowledgement came", {}, {}, {}}});
}

void log_server::send(const std::shared_ptr<log_line>& line, const log_sink& from, std::vector<entry_ptr> entries) {
  const auto& f = line->faults;
  if (random_->chance(f.lost)) return;
  const auto spread_ms = static_cast<std::uint64_t>((f.most - f.least).count()) + 1;
  auto arrival = std::max(time_.boot_now() + f.least + millis{static_cast<std::int64_t>(random_->below(spread_ms))}, line->last_arrival);
  const bool late = random_->chance(f.late);
  const auto later = [this] { return millis{static_cast<std::int64_t>(random_->below(most_late_ms))}; };
  auto carry = [this, weak = caf::actor_cast<caf::weak_actor_ptr>(from), entries](bool tell) {
    const auto alive = tell ? caf::actor_cast<caf::strong_actor_ptr>(weak) : nullptr;
    arrive(alive ? caf::actor_cast<log_sink>(alive) : log_sink{}, entries);
  };
  if (late) arrival = arrival + later();
  else line->last_arrival = arrival;
  const bool untold = late || random_->chance(f.unacknowledged);
  if (untold)
    for (auto& what : entries) fail(from, what, errc::unknown_outcome);
  events_.after(arrival - time_.boot_now(), [carry, untold] { carry(!untold); });
  if (random_->chance(f.repeated)) events_.after(arrival - time_.boot_now() + later(), [carry] { carry(false); });
}

/// `from`: who waits for a word; null: nobody does.
void log_server::arrive(const log_sink& from, const std::vector<entry_ptr>& entries) {
  if (!up_) {
    for (auto& what : entries)
      if (from) fail(from, what, errc::unknown_outcome);
    return;
  }
  for (auto& what : entries) store.append(what, time_.wall_now());
  spread();
}

void log_server::spread() {
  for (auto& line : lines_) {
    const auto& f = line->faults;
    const auto spread_ms = static_cast<std::uint64_t>((f.most - f.least).count()) + 1;
    events_.after(f.least + millis{static_cast<std::int64_t>(random_->below(spread_ms))}, [line, generation = line->generation, last = store.last()] {
      if (!line->alive || line->generation != generation) return;
      line->visible = std::max(line->visible, last);
      caf::anon_send(line->front, log_arrived{});
    });
  }
}

} // namespace poseidon::simulation
