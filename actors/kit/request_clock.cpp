#include "actors/kit/request_clock.hpp"

#include <pthread.h>

#include <algorithm>

namespace poseidon {
namespace {

constexpr std::size_t most_spare = 64; // of a shard

} // namespace

void request_clock::start() {
  thread_ = std::thread{[this] { run(); }};
  ::pthread_setname_np(thread_.native_handle(), "requests");
}

void request_clock::stop() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  for (auto& part : shards_) {
    asker_table gone; // an actor that ends with its last reference cancels its timeouts: not while its shard is locked
    const std::lock_guard lock{part.mutex};
    part.askers.swap(gone);
    part.spare.clear();
  }
}

std::size_t request_clock::waiting() const {
  std::size_t count = 0;
  for (auto& part : shards_) {
    const std::lock_guard lock{part.mutex};
    for (auto& [id, who] : part.askers)
      count += who.open.size();
  }
  return count;
}

// --- the table
// --------------------------------------------------------------------------------------------------------

request_clock::asker& request_clock::asker_of(shard& in, caf::abstract_actor* self) {
  if (auto found = in.askers.find(self->id()); found != in.askers.end()) return found->second;
  if (in.spare.empty()) {
    auto& added = in.askers[self->id()];
    added.self = self->ctrl();
    return added;
  }
  auto node = std::move(in.spare.back());
  in.spare.pop_back();
  node.key() = self->id();
  node.mapped().self = self->ctrl();
  return in.askers.insert(std::move(node)).position->second;
}

/// The reference is let go by the caller, once the shard is free.
caf::strong_actor_ptr request_clock::retire(shard& in, asker_table::iterator which) {
  auto node = in.askers.extract(which);
  auto self = std::move(node.mapped().self);
  node.mapped().open.clear();
  if (in.spare.size() < most_spare && node.mapped().open.capacity() <= most_spare) in.spare.push_back(std::move(node));
  return self;
}

void request_clock::set_request_timeout(time_point due, caf::abstract_actor* self, caf::message_id id) {
  auto& part = shard_of(self->id());
  {
    const std::lock_guard lock{part.mutex};
    asker_of(part, self).open.push_back({id, due});
  }
  if (due < looks_at_.load()) wake_at(due);
}

void request_clock::cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) {
  caf::strong_actor_ptr last;
  auto& part = shard_of(self->id());
  const std::lock_guard lock{part.mutex};
  const auto who = part.askers.find(self->id());
  if (who == part.askers.end()) return;
  auto& open = who->second.open;
  const auto which = std::find_if(open.begin(), open.end(), [id](const open_request& one) { return one.id == id; });
  if (which != open.end()) open.erase(which);
  if (open.empty()) last = retire(part, who);
}

void request_clock::cancel_timeouts(caf::abstract_actor* self) {
  if (rest_used_) rest_.cancel_timeouts(self);
  caf::strong_actor_ptr last;
  auto& part = shard_of(self->id());
  const std::lock_guard lock{part.mutex};
  if (const auto who = part.askers.find(self->id()); who != part.askers.end()) last = retire(part, who);
}

// --- the thread
// -------------------------------------------------------------------------------------------------------

void request_clock::wake_at(time_point due) {
  {
    const std::lock_guard lock{mutex_};
    if (due >= looks_at_.load()) return;
    looks_at_ = due;
  }
  wake_.notify_one();
}

void request_clock::run() {
  std::vector<overdue> late;
  std::unique_lock lock{mutex_};
  while (!ending_) {
    const auto until = looks_at_.load();
    if (until == time_point::max()) {
      wake_.wait(lock);
    } else if (now() < until) {
      wake_.wait_until(lock, until);
    } else {
      looks_at_ = time_point::max(); // what is asked from now on, and may be missed, says when it wants to be looked at
      lock.unlock();
      const auto next = sweep(now(), late);
      for (auto& one : late)
        one.self->enqueue(one.self, one.id, caf::make_message(caf::make_error(caf::sec::request_timeout)), nullptr);
      late.clear();
      lock.lock();
      if (next < looks_at_.load()) looks_at_ = next;
    }
  }
}

request_clock::time_point request_clock::sweep(time_point now, std::vector<overdue>& late) {
  auto next = time_point::max();
  for (auto& part : shards_)
    next = std::min(next, sweep(part, now, late));
  return next;
}

/// Takes what is due; returns when the earliest of the others is.
request_clock::time_point request_clock::sweep(shard& in, time_point now, std::vector<overdue>& late) {
  auto next = time_point::max();
  const std::lock_guard lock{in.mutex};
  for (auto who = in.askers.begin(); who != in.askers.end();) {
    auto& [self, open] = who->second;
    std::erase_if(open, [&, &self = self](const open_request& one) {
      if (one.due > now) return next = std::min(next, one.due), false;
      return late.push_back({self, one.id}), true;
    });
    auto here = who++;
    if (open.empty()) retire(in, here); // `late` holds a reference
  }
  return next;
}

// --- what is CAF's
// ----------------------------------------------------------------------------------------------------

void request_clock::set_ordinary_timeout(time_point due, caf::abstract_actor* self, caf::atom_value type,
                                         std::uint64_t id) {
  rest_used_ = true;
  rest_.set_ordinary_timeout(due, self, type, id);
}
void request_clock::set_multi_timeout(time_point due, caf::abstract_actor* self, caf::atom_value type,
                                      std::uint64_t id) {
  rest_used_ = true;
  rest_.set_multi_timeout(due, self, type, id);
}
void request_clock::cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) {
  rest_.cancel_ordinary_timeout(self, type);
}
void request_clock::schedule_message(time_point due, caf::strong_actor_ptr receiver, caf::mailbox_element_ptr content) {
  rest_.schedule_message(due, std::move(receiver), std::move(content));
}
void request_clock::schedule_message(time_point due, caf::group target, caf::strong_actor_ptr sender,
                                     caf::message content) {
  rest_.schedule_message(due, std::move(target), std::move(sender), std::move(content));
}
void request_clock::cancel_all() { rest_.cancel_all(); }

} // namespace poseidon
