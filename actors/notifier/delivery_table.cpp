#include "actors/notifier/delivery_table.hpp"

#include <algorithm>

namespace poseidon {
namespace {

constexpr millis longest_wait_asked{3'600'000}; ///< a receiver may ask for more: it is not believed
constexpr std::size_t most_note = 200;

std::string words_of(const receiver_reply& reply) {
  auto text = "answered " + std::to_string(reply.status);
  if (!reply.note.empty()) text += ": " + reply.note.substr(0, most_note);
  return text;
}

bool is_busy(int status) { return status == 408 || status == 425 || status == 429 || status >= 500; }

} // namespace

attempt_result judge_reply(const outcome<receiver_reply>& reply) {
  using kind = attempt_result::kind;
  if (!reply) {
    if (reply.error.code == errc::forbidden) return {kind::never, false, std::nullopt, reply.error.detail};
    return {kind::again, true, std::nullopt, reply.error.detail};
  }
  if (reply->status >= 200 && reply->status < 300) return {kind::delivered, false, std::nullopt, {}};
  if (!is_busy(reply->status)) return {kind::never, false, std::nullopt, words_of(*reply)};
  auto wait = reply->retry_after;
  if (wait) wait = std::clamp(*wait, millis{0}, longest_wait_asked);
  return {kind::again, wait.has_value() || reply->status == 429 || reply->status == 503, wait, words_of(*reply)};
}

millis backoff(const retry_rule& rule, std::uint32_t n, std::uint64_t random) {
  auto wait = rule.first;
  for (std::uint32_t i = 1; i < n && wait < rule.longest; ++i) wait *= 2;
  wait = std::min(wait, rule.longest);
  const auto half = static_cast<std::uint64_t>(wait.count() / 2);
  return millis{wait.count() - static_cast<std::int64_t>(half) + static_cast<std::int64_t>(random % (half + 1))};
}

void delivery_table::make_ready(const std::string& name, const lane& of) { ready_.emplace(of.due, of.items.front().row, name); }

void delivery_table::add(stored_item item) {
  const auto& name = item.what->instance;
  auto& to = lanes_[name];
  if (!to.items.empty() && item.row <= to.items.back().row) return;
  if (to.leaving) return;
  to.items.push_back(std::move(item));
  ++size_;
  if (to.items.size() == 1) make_ready(to.items.front().what->instance, to);
}

void delivery_table::let_go(const std::function<bool(const std::string&)>& of) {
  std::set<std::string> busy;
  for (auto& [row, name] : under_way_) busy.insert(name);
  for (auto at = lanes_.begin(); at != lanes_.end();) {
    auto& [name, held] = *at;
    if (!of(name) || held.leaving) {
      ++at;
    } else if (busy.contains(name)) {
      size_ -= held.items.size() - 1;
      held.items.erase(held.items.begin() + 1, held.items.end());
      held.leaving = true;
      ++leaving_;
      ++at;
    } else {
      size_ -= held.items.size();
      ready_.erase({held.due, held.items.front().row, name});
      at = lanes_.erase(at);
    }
  }
}

void delivery_table::forget(lanes::iterator gone) {
  size_ -= gone->second.items.size();
  leaving_ -= gone->second.leaving ? 1 : 0;
  lanes_.erase(gone);
}

std::vector<delivery_attempt> delivery_table::take_due(boot_time now) {
  std::vector<delivery_attempt> due;
  if (now < paused_until_) return due;
  while (under_way_.size() < room() && !ready_.empty() && std::get<boot_time>(*ready_.begin()) <= now) {
    auto node = ready_.extract(ready_.begin());
    const auto& name = std::get<std::string>(node.value());
    auto& from = lanes_.at(name);
    const auto& first = from.items.front();
    under_way_.emplace(first.row, name);
    due.push_back({first.row, first.what, ++from.attempts});
  }
  return due;
}

std::vector<settlement> delivery_table::settle(std::uint64_t row, const attempt_result& result, boot_time now, wall_time wall,
                                               std::uint64_t random) {
  std::vector<settlement> settled;
  auto under_way = under_way_.extract(row);
  if (!under_way) return settled;
  const auto found = lanes_.find(under_way.mapped());
  auto& of = found->second;
  if (result.what == attempt_result::kind::delivered) {
    failures_ = 0;
    last_failed_.reset();
    paused_until_ = {};
    settled.push_back(leave(found, settlement::kind::delivered, {}));
    return settled;
  }
  if (result.what == attempt_result::kind::never) { // an answer all the same: the receiver is there
    settled.push_back(leave(found, settlement::kind::buried, result.why));
    return settled;
  }
  note_failure(found->first, result, now, random);
  if (wall - of.items.front().stored_at >= rule_.give_up) {
    settled.push_back(leave(found, settlement::kind::buried, "given up: " + result.why));
    if (outage()) bury_old(wall, settled);
    return settled;
  }
  settled.push_back({settlement::kind::retried, row, of.items.front().what, of.attempts, result.why});
  if (of.leaving) {
    forget(found);
    return settled;
  }
  of.due = now;
  if (!outage()) of.due = now + std::max(result.wait.value_or(millis{0}), backoff(rule_, of.attempts, random));
  make_ready(found->first, of);
  return settled;
}

void delivery_table::note_failure(const std::string& lane_name, const attempt_result& result, boot_time now, std::uint64_t random) {
  auto pause = result.receiver_at_fault ? result.wait.value_or(millis{0}) : millis{0};
  if (now >= paused_until_) { // those that were sent together fail together: once is enough
    if (result.receiver_at_fault || lane_name != last_failed_) ++failures_;
    last_failed_ = lane_name;
  } else if (pause == millis{0}) {
    return;
  }
  if (outage() && now >= paused_until_) pause = std::max(pause, backoff(rule_, failures_ - rule_.outage_after + 1, random));
  paused_until_ = std::max(paused_until_, now + pause);
}

settlement delivery_table::leave(lanes::iterator from, settlement::kind how, std::string why) {
  auto& of = from->second;
  settlement gone{how, of.items.front().row, of.items.front().what, of.attempts, std::move(why)};
  of.items.pop_front();
  of.attempts = 0;
  of.due = {};
  --size_;
  if (of.items.empty()) forget(from);
  else make_ready(from->first, of);
  return gone;
}

void delivery_table::bury_old(wall_time wall, std::vector<settlement>& into) {
  const auto waiting = ready_;
  for (auto& [due, row, name] : waiting)
    for (auto found = lanes_.find(name); found != lanes_.end() && wall - found->second.items.front().stored_at >= rule_.give_up;
         found = lanes_.find(name)) {
      ready_.erase({found->second.due, found->second.items.front().row, name});
      into.push_back(leave(found, settlement::kind::buried, "given up: the receiver is away"));
    }
}

std::optional<boot_time> delivery_table::next() const {
  if (ready_.empty() || under_way_.size() >= room()) return std::nullopt;
  return std::max(paused_until_, std::get<boot_time>(*ready_.begin()));
}

} // namespace poseidon
