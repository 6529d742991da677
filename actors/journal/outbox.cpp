#include "actors/journal/outbox.hpp"

#include <algorithm>

namespace poseidon {

void outbox::add(waiting_fact fact) {
  auto& line = of_instance_[fact.group.instance];
  if (line.empty()) ready_.emplace(fact.number, fact.group.instance);
  ++of_group_[fact.group];
  ++size_;
  line.push_back(std::move(fact));
}

const waiting_fact* outbox::take() {
  if (ready_.empty()) return nullptr;
  auto first = ready_.extract(ready_.begin());
  auto& line = of_instance_.at(first.mapped());
  on_their_way_.emplace(first.key(), std::move(first.mapped()));
  return &line.front();
}

std::optional<group_key> outbox::folded(std::uint64_t number) {
  auto sent = on_their_way_.extract(number);
  if (sent.empty()) return std::nullopt;
  auto line = of_instance_.find(sent.mapped());
  auto group = std::move(line->second.front().group);
  line->second.pop_front();
  --size_;
  if (line->second.empty()) of_instance_.erase(line);
  else ready_.emplace(line->second.front().number, line->first);
  auto count = of_group_.find(group);
  if (--count->second > 0) return std::nullopt;
  of_group_.erase(count);
  return group;
}

void outbox::failed(std::uint64_t number) {
  if (auto sent = on_their_way_.extract(number)) ready_.emplace(number, std::move(sent.mapped()));
}

bool is_final(const verdict& judged) { return judged.kind != verdict_kind::refused || judged.why.code != errc::stale; }

millis outbox_delay(std::uint32_t failures) {
  return millis{std::min<std::int64_t>(2'000, std::int64_t{50} << std::min<std::uint32_t>(failures, 10))};
}

} // namespace poseidon
