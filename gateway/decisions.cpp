#include "gateway/decisions.hpp"

#include <algorithm>
#include <limits>

namespace poseidon::gateway {

namespace {

/// [node, reason, count, then of each candidate: node, score, why not]
constexpr std::size_t head = 3, each = 3;

} // namespace

std::uint32_t decision_words::number_of(const std::string& text) {
  if (auto known = numbers_.find(text); known != numbers_.end()) return known->second;
  if (texts_.size() >= most) return 0;
  const auto number = static_cast<std::uint32_t>(texts_.size());
  texts_.push_back(text);
  numbers_.emplace(text, number);
  return number;
}

packed_decision decision_words::pack(const placement_decision& decision) {
  auto packed = std::make_unique<std::uint32_t[]>(head + each * decision.candidates.size());
  auto* to = packed.get();
  *to++ = number_of(decision.node.value);
  *to++ = number_of(decision.reason);
  *to++ = static_cast<std::uint32_t>(decision.candidates.size());
  for (auto& candidate : decision.candidates) {
    *to++ = number_of(candidate.node.value);
    *to++ = static_cast<std::uint32_t>(std::min<std::uint64_t>(candidate.score, std::numeric_limits<std::uint32_t>::max()));
    *to++ = number_of(candidate.why_not);
  }
  return packed;
}

placement_decision decision_words::unpack(const packed_decision& packed) const {
  placement_decision decision;
  const auto* from = packed.get();
  decision.node = {texts_[from[0]]};
  decision.reason = texts_[from[1]];
  const auto* candidate = from + head;
  for (std::uint32_t n = 0; n < from[2]; ++n, candidate += each)
    decision.candidates.push_back({{texts_[candidate[0]]}, candidate[1], texts_[candidate[2]]});
  return decision;
}

} // namespace poseidon::gateway
