#pragma once
// Every timer of the process in one exact structure: a heap by due time, found again by (owner, token). Pure: time is an
// argument. About 64 bytes a timer at a million, whatever the mix of owners.

#include "messages/time.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace poseidon {

/// A timer is (owner, token); arming it again moves it. `Owner` is a small handle that can be compared and hashed.
template <class Owner, class Hash = std::hash<Owner>>
class timer_heap {
public:
  /// Sets or moves the timer.
  void arm(const Owner& owner, std::uint64_t token, boot_time due);
  /// True when it was armed.
  bool disarm(const Owner& owner, std::uint64_t token);
  /// Drops every timer of `owner`; answers how many.
  std::size_t disarm_all(const Owner& owner);
  /// Removes what is due at or before `now`, earliest first, and calls `fire(owner, token)` for each. Never early.
  template <class Fire>
  std::size_t take_due(boot_time now, Fire&& fire);
  /// When the earliest is due.
  std::optional<boot_time> next() const {
    if (heap_.empty()) return std::nullopt;
    return at(heap_[0]).due;
  }
  std::size_t size() const { return heap_.size(); }
  /// What it holds in memory.
  std::size_t memory_bytes() const {
    return chunks_.size() * chunk_size * sizeof(node) + (heap_.capacity() + by_key_.capacity() + by_owner_.capacity()) * sizeof(index);
  }

private:
  using index = std::uint32_t;
  static constexpr index none = ~index{0};
  static constexpr std::size_t chunk_size = 4096;
  static constexpr std::size_t arity = 4;

  /// `key_next` chains (owner, token); each owner's timers form a ring, of which exactly one member, the head, is chained
  /// in by_owner_ by `owner_next` (`is_head`).
  struct node {
    Owner owner{};
    std::uint64_t token = 0;
    boot_time due;
    index place = none; ///< in heap_
    index key_next = none;
    index ring_next = none, ring_previous = none;
    index owner_next = none;
    bool is_head = false;
  };

  node& at(index i) { return chunks_[i / chunk_size][i % chunk_size]; }
  const node& at(index i) const { return chunks_[i / chunk_size][i % chunk_size]; }
  std::size_t owner_slot(const Owner& owner) const { return mix(Hash{}(owner)) & (by_owner_.size() - 1); }
  std::size_t key_slot(const Owner& owner, std::uint64_t token) const {
    return mix(Hash{}(owner) * 0x9e3779b97f4a7c15ull + token) & (by_key_.size() - 1);
  }
  static std::uint64_t mix(std::uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    return x ^ (x >> 32);
  }

  index find(const Owner& owner, std::uint64_t token) const;
  index find_head(const Owner& owner) const;
  index allocate();
  void grow();
  void chain(index i);
  void join_ring(index i);
  void unchain(index i);
  void leave_ring(index i);
  void remove(index i);
  void sift_up(std::size_t place);
  void sift_down(std::size_t place);
  void put(std::size_t place, index i) {
    heap_[place] = i;
    at(i).place = static_cast<index>(place);
  }

  std::vector<std::unique_ptr<node[]>> chunks_;
  index free_ = none;
  std::vector<index> heap_, by_key_, by_owner_;
};

template <class Owner, class Hash>
void timer_heap<Owner, Hash>::arm(const Owner& owner, std::uint64_t token, boot_time due) {
  if (auto found = find(owner, token); found != none) {
    const auto before = std::exchange(at(found).due, due);
    due < before ? sift_up(at(found).place) : sift_down(at(found).place);
    return;
  }
  const auto i = allocate();
  auto& n = at(i);
  n.owner = owner;
  n.token = token;
  n.due = due;
  chain(i);
  join_ring(i);
  heap_.push_back(i);
  n.place = static_cast<index>(heap_.size() - 1);
  sift_up(n.place);
}

template <class Owner, class Hash>
bool timer_heap<Owner, Hash>::disarm(const Owner& owner, std::uint64_t token) {
  const auto i = find(owner, token);
  if (i == none) return false;
  remove(i);
  return true;
}

template <class Owner, class Hash>
std::size_t timer_heap<Owner, Hash>::disarm_all(const Owner& owner) {
  std::size_t count = 0;
  for (auto i = find_head(owner); i != none; i = find_head(owner), ++count) remove(i);
  return count;
}

template <class Owner, class Hash>
template <class Fire>
std::size_t timer_heap<Owner, Hash>::take_due(boot_time now, Fire&& fire) {
  std::size_t count = 0;
  for (; !heap_.empty() && at(heap_[0]).due <= now; ++count) {
    const auto i = heap_[0];
    auto owner = at(i).owner;
    const auto token = at(i).token;
    remove(i);
    fire(owner, token);
  }
  return count;
}

template <class Owner, class Hash>
auto timer_heap<Owner, Hash>::find(const Owner& owner, std::uint64_t token) const -> index {
  if (by_key_.empty()) return none;
  auto i = by_key_[key_slot(owner, token)];
  while (i != none && !(at(i).token == token && at(i).owner == owner)) i = at(i).key_next;
  return i;
}

template <class Owner, class Hash>
auto timer_heap<Owner, Hash>::find_head(const Owner& owner) const -> index {
  if (by_owner_.empty()) return none;
  auto i = by_owner_[owner_slot(owner)];
  while (i != none && !(at(i).owner == owner)) i = at(i).owner_next;
  return i;
}

template <class Owner, class Hash>
auto timer_heap<Owner, Hash>::allocate() -> index {
  if (free_ == none) {
    const auto first = static_cast<index>(chunks_.size() * chunk_size);
    chunks_.push_back(std::make_unique<node[]>(chunk_size));
    for (std::size_t k = chunk_size; k-- > 0;) at(first + static_cast<index>(k)).key_next = std::exchange(free_, first + static_cast<index>(k));
  }
  if (heap_.size() >= by_key_.size()) grow();
  const auto i = free_;
  free_ = at(i).key_next;
  at(i) = node{};
  return i;
}

template <class Owner, class Hash>
void timer_heap<Owner, Hash>::grow() {
  const auto buckets = by_key_.empty() ? std::size_t{64} : by_key_.size() * 2;
  by_key_.assign(buckets, none);
  by_owner_.assign(buckets, none);
  for (auto i : heap_) {
    auto& n = at(i);
    n.key_next = std::exchange(by_key_[key_slot(n.owner, n.token)], i);
    if (n.is_head) n.owner_next = std::exchange(by_owner_[owner_slot(n.owner)], i);
  }
}

template <class Owner, class Hash>
void timer_heap<Owner, Hash>::chain(index i) {
  auto& n = at(i);
  n.key_next = std::exchange(by_key_[key_slot(n.owner, n.token)], i);
}

template <class Owner, class Hash>
void timer_heap<Owner, Hash>::join_ring(index i) {
  auto& n = at(i);
  if (const auto head = find_head(n.owner); head != none) {
    n.ring_next = at(head).ring_next;
    n.ring_previous = head;
    at(n.ring_next).ring_previous = i;
    at(head).ring_next = i;
  } else {
    n.ring_next = n.ring_previous = i;
    n.is_head = true;
    n.owner_next = std::exchange(by_owner_[owner_slot(n.owner)], i);
  }
}

template <class Owner, class Hash>
void timer_heap<Owner, Hash>::unchain(index i) {
  auto* link = &by_key_[key_slot(at(i).owner, at(i).token)];
  while (*link != i) link = &at(*link).key_next;
  *link = at(i).key_next;
}

template <class Owner, class Hash>
void timer_heap<Owner, Hash>::leave_ring(index i) {
  auto& n = at(i);
  at(n.ring_previous).ring_next = n.ring_next;
  at(n.ring_next).ring_previous = n.ring_previous;
  if (!n.is_head) return;
  auto* link = &by_owner_[owner_slot(n.owner)];
  while (*link != i) link = &at(*link).owner_next;
  *link = n.owner_next;
  if (n.ring_next == i) return;
  auto& heir = at(n.ring_next);
  heir.is_head = true;
  heir.owner_next = std::exchange(*link, n.ring_next);
}

template <class Owner, class Hash>
void timer_heap<Owner, Hash>::remove(index i) {
  unchain(i);
  leave_ring(i);
  const auto place = at(i).place;
  const auto last = heap_.back();
  heap_.pop_back();
  if (last != i) {
    put(place, last);
    sift_up(place);
    sift_down(at(last).place);
  }
  at(i) = node{};
  at(i).key_next = std::exchange(free_, i);
}

template <class Owner, class Hash>
void timer_heap<Owner, Hash>::sift_up(std::size_t place) {
  const auto i = heap_[place];
  const auto due = at(i).due;
  while (place > 0) {
    const auto parent = (place - 1) / arity;
    if (at(heap_[parent]).due <= due) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, i);
}

template <class Owner, class Hash>
void timer_heap<Owner, Hash>::sift_down(std::size_t place) {
  const auto i = heap_[place];
  const auto due = at(i).due;
  for (;;) {
    const auto first = place * arity + 1;
    if (first >= heap_.size()) break;
    auto least = first;
    for (auto c = first + 1; c < heap_.size() && c < first + arity; ++c)
      if (at(heap_[c]).due < at(heap_[least]).due) least = c;
    if (due <= at(heap_[least]).due) break;
    put(place, heap_[least]);
    place = least;
  }
  put(place, i);
}

} // namespace poseidon
