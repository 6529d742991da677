#include "actors/notifier/receiver_rule.hpp"

#include <algorithm>

namespace poseidon {
namespace {

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](auto& pattern) { return matches_pattern(pattern, text); });
}

/// FNV-1a with a final mix: every process has to come to the same result.
std::uint64_t weight_of(std::string_view notifier, std::string_view instance) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3ull; };
  for (unsigned char c : notifier) add(c);
  add(0);
  for (unsigned char c : instance) add(c);
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ull;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebull;
  return hash ^ (hash >> 31);
}

} // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  // The last star may take more: that is the only place to go back to.
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool wants(const receiver_rule& receiver, const notification& event) {
  if (!receiver.events.empty() && !any_matches(receiver.events, event.type)) return false;
  if (receiver.challenges.empty()) return true;
  return !event.challenge.empty() && any_matches(receiver.challenges, event.challenge);
}

std::string notifier_of(std::string_view instance, const std::vector<std::string>& notifiers) {
  const std::string* best = nullptr;
  std::uint64_t most = 0;
  for (auto& name : notifiers) {
    const auto weight = weight_of(name, instance);
    if (best && (weight < most || (weight == most && name >= *best))) continue;
    best = &name;
    most = weight;
  }
  return best ? *best : std::string{};
}

} // namespace poseidon
