#include "gateway/events.hpp"

#include <algorithm>
#include <charconv>

namespace poseidon::gateway {

namespace {

/// A client that has been at another gateway may be this many entries ahead of this one.
constexpr std::uint64_t most_ahead = 100'000;

struct event_id_parts {
  position at;
  std::uint32_t number = 0;
};

std::optional<event_id_parts> parse_event_id(std::string_view id) {
  auto dot = id.find('.');
  auto at = position_from_string(id.substr(0, dot));
  if (!at) return std::nullopt;
  event_id_parts parts{*at, 0};
  if (dot == std::string_view::npos) return parts;
  auto digits = id.substr(dot + 1);
  auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), parts.number);
  if (ec != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return parts;
}

} // namespace

void event_ring::reset(position at) {
  std::vector<wake> wakes;
  {
    std::lock_guard lock(mutex_);
    first_ += events_.size() + 1; // every stream finds that its place is gone
    events_.clear();
    floor_ = at_ = at;
    wakes = wakes_;
  }
  for (auto& tell : wakes) tell(true);
}

void event_ring::append(std::vector<event_ptr> events, position at) {
  const bool lasting = std::any_of(events.begin(), events.end(), [](auto& e) { return !e->passing; });
  std::vector<wake> wakes;
  {
    std::lock_guard lock(mutex_);
    at_ = std::max(at_, at);
    if (events.empty()) return;
    for (auto& e : events) events_.push_back(std::move(e));
    while (events_.size() > most_) {
      floor_ = std::max(floor_, events_.front()->at);
      events_.pop_front();
      ++first_;
    }
    wakes = wakes_;
  }
  for (auto& tell : wakes) tell(lasting);
}

void event_ring::subscribe(wake told) {
  std::lock_guard lock(mutex_);
  wakes_.push_back(std::move(told));
}

std::uint64_t event_ring::end() const {
  std::lock_guard lock(mutex_);
  return first_ + events_.size();
}

position event_ring::at() const {
  std::lock_guard lock(mutex_);
  return at_;
}

std::optional<std::vector<event_ptr>> event_ring::read(std::uint64_t from, std::size_t most) const {
  std::lock_guard lock(mutex_);
  if (from < first_) return std::nullopt;
  std::vector<event_ptr> result;
  auto begin = std::min<std::uint64_t>(from - first_, events_.size());
  auto end = std::min<std::uint64_t>(begin + most, events_.size());
  result.assign(events_.begin() + static_cast<std::ptrdiff_t>(begin), events_.begin() + static_cast<std::ptrdiff_t>(end));
  return result;
}

std::optional<event_ring::resume_point> event_ring::resume(std::string_view last_event_id) const {
  auto parts = parse_event_id(last_event_id);
  if (!parts) return std::nullopt;
  std::lock_guard lock(mutex_);
  resume_point point{first_ + events_.size(), parts->at, parts->number};
  if (parts->at.incarnation != at_.incarnation) return std::nullopt;
  if (parts->at > at_) { // ahead of this gateway: what it has seen is skipped when it arrives here
    if (parts->at.sequence - at_.sequence > most_ahead) return std::nullopt;
    return point;
  }
  // Events are in the order of positions; passing ones carry the position that they came after.
  auto first = std::partition_point(events_.begin(), events_.end(), [&](auto& e) { return e->at < parts->at; });
  auto same = std::find_if(first, events_.end(), [&](auto& e) { return e->at > parts->at || (!e->passing && e->id == last_event_id); });
  bool found = same != events_.end() && (*same)->at == parts->at;
  if (!found && parts->at < floor_) return std::nullopt;
  if (!found && parts->at == floor_ && parts->number > 0) return std::nullopt;
  point.from = first_ + static_cast<std::uint64_t>(same - events_.begin()) + (found ? 1 : 0);
  point.after = {};
  return point;
}

} // namespace poseidon::gateway
