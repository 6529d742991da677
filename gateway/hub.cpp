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
  ring_->subscribe([thread = std::weak_ptr(thread_), woken = woken_, this] {
    if (woken->exchange(true)) return;
    if (auto alive = thread.lock()) alive->post([this] { advance(); });
  });
  thread_->after(heartbeat_, [this] { beat(); });
  advance();
}

void hub::add(subscriber& s) { subscribers_.insert(&s); }
void hub::remove(subscriber& s) { subscribers_.erase(&s); }

hub::waiter_id hub::wait(const std::string& instance, look again) {
  auto id = next_++;
  waiters_[instance].emplace(id, std::move(again));
  return id;
}

void hub::cancel(const std::string& instance, waiter_id id) {
  auto found = waiters_.find(instance);
  if (found == waiters_.end()) return;
  found->second.erase(id);
  if (found->second.empty()) waiters_.erase(found);
}

void hub::advance() {
  woken_->store(false);
  for (;;) {
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
        if (!e->instance.empty()) wake_waiters(e->instance);
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
