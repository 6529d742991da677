#include "gateway/hub.hpp"

namespace poseidon::gateway {

namespace {
constexpr std::size_t batch = 512;
}

hub::hub(std::shared_ptr<loop> thread, std::shared_ptr<event_ring> ring, std::chrono::milliseconds heartbeat)
    : thread_(std::move(thread)), ring_(std::move(ring)), heartbeat_(heartbeat) {}

void hub::start() {
  seen_ = ring_->end();
  // The ring outlives the thread: a wake-up posted after the thread's end is dropped by the loop, and runs nothing.
  ring_->subscribe([thread = std::weak_ptr(thread_), bell = alarm_, this](bool lasting) {
    if (!lasting && !bell->streams) return;
    if (bell->off.exchange(true)) return;
    if (auto alive = thread.lock()) alive->post([this] { advance(); });
  });
  thread_->after(heartbeat_, [this] { beat(); });
}

std::uint64_t hub::seen() {
  if (resting_) seen_ = ring_->end();
  return seen_;
}

void hub::add(subscriber& s) {
  subscribers_.insert(&s);
  alarm_->streams = true;
  attend();
}
void hub::remove(subscriber& s) {
  subscribers_.erase(&s);
  alarm_->streams = !subscribers_.empty();
  rest();
}

hub::waiter_id hub::wait(const std::string& instance, look again) {
  auto id = next_++;
  waiters_[instance].emplace(id, std::move(again));
  if (resting_) {
    seen();
    attend();
    // What came since whoever waits has looked woke nobody.
    thread_->post([this, instance] { wake_waiters(instance); });
  }
  return id;
}

/// Somebody waits: from now on events wake this thread; those that came before this are looked at here.
void hub::attend() {
  if (resting_) alarm_->off.exchange(false); // reads what the last event wrote: that event is seen below
  resting_ = false;
  if (ring_->end() != seen_) advance_later();
}

void hub::rest() {
  if (resting_ || !subscribers_.empty() || !waiters_.empty()) return;
  resting_ = true;
  alarm_->off = true;
}

void hub::advance_later() {
  if (!alarm_->off.exchange(true)) thread_->post([this] { advance(); });
}

void hub::cancel(const std::string& instance, waiter_id id) {
  auto found = waiters_.find(instance);
  if (found == waiters_.end()) return;
  found->second.erase(id);
  if (found->second.empty()) waiters_.erase(found);
  rest();
}

void hub::advance() {
  if (resting_) return; // whoever waited has left meanwhile
  alarm_->off.exchange(false);
  while (!resting_) {
    auto from = seen_;
    auto events = ring_->read(from, batch);
    auto end = events ? from + events->size() : ring_->end();
    if (end == from) return;
    seen_ = end;
    // Told ones may leave while this runs.
    std::vector<subscriber*> all(subscribers_.begin(), subscribers_.end());
    for (auto* s : all) {
      if (!subscribers_.contains(s)) continue;
      bool concerned = !events;
      if (events)
        for (auto& e : *events) concerned = concerned || s->filter().accepts(*e);
      if (concerned)
        s->notify(end);
      else
        s->skip(from, end);
    }
    if (events) {
      for (auto& e : *events)
        if (!e->passing && !e->instance.empty()) wake_waiters(e->instance);
    } else {
      std::vector<std::string> waited;
      for (auto& [instance, looks] : waiters_) waited.push_back(instance);
      for (auto& instance : waited) wake_waiters(instance);
    }
  }
}

void hub::wake_waiters(const std::string& instance) {
  auto found = waiters_.find(instance);
  if (found == waiters_.end()) return;
  std::vector<waiter_id> ids;
  for (auto& [id, again] : found->second) ids.push_back(id);
  for (auto id : ids) {
    auto still = waiters_.find(instance);
    if (still == waiters_.end()) return;
    auto one = still->second.find(id);
    if (one == still->second.end()) continue;
    auto again = one->second; // a copy: it may cancel itself
    if (again()) cancel(instance, id);
  }
}

void hub::beat() {
  std::vector<subscriber*> all(subscribers_.begin(), subscribers_.end());
  for (auto* s : all)
    if (subscribers_.contains(s)) s->heartbeat();
  thread_->after(heartbeat_, [this] { beat(); });
}

} // namespace poseidon::gateway
