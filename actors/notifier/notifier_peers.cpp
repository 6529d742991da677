#include "actors/notifier/notifier_peers.hpp"

#include <algorithm>
#include <utility>

namespace poseidon {

namespace {
constexpr millis forgotten_after{600'000};
}

void notifier_peers::listen_anew(boot_time now) {
  since_.reset();
  if (connected_) since_ = now;
}

void notifier_peers::bus(bool connected, boot_time now) {
  if (std::exchange(connected_, connected) != connected) listen_anew(now);
}

bool notifier_peers::tick(boot_time now) {
  const bool away = ticked_ && now - *ticked_ > limits_.lost_after / 2;
  if (away) {
    listen_anew(now);
    listened_ = false;
  }
  ticked_ = now;
  std::erase_if(known_, [&](const auto& one) { return now - one.second.heard > std::max(forgotten_after, 2 * limits_.lost_after); });
  listened_ = listened_ || (since_ && now - *since_ >= limits_.listen);
  return away;
}

bool notifier_peers::heard(const notifier_word& word, boot_time now) {
  if (word.key_check != self_.key_check || word.process == self_.process || word.process.empty()) return false;
  known_[{word.receiver, word.process}] = {word.rule, now, word.view, word.next};
  return true;
}

std::optional<std::vector<std::string>> notifier_peers::sharing(const std::string& receiver, const std::string& rule, boot_time now) const {
  if (!since_ || !listened_) return std::nullopt;
  std::vector<std::string> names{self_.process};
  for (auto at = known_.lower_bound({receiver, {}}); at != known_.end() && at->first.first == receiver; ++at)
    if (at->second.rule == rule && now - std::max(at->second.heard, *since_) < limits_.lost_after) names.push_back(at->first.second);
  std::ranges::sort(names);
  return names;
}

bool notifier_peers::ready(const std::string& receiver, const std::vector<std::string>& sharing) const {
  return std::ranges::all_of(sharing, [&](const std::string& name) {
    if (name == self_.process) return true;
    const auto found = known_.find({receiver, name});
    return found != known_.end() && (found->second.next == sharing || found->second.view == sharing);
  });
}

} // namespace poseidon
