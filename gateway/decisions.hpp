#pragma once
// Why live instances are where they are, for the API. Small: names and words are kept once, a decision is a list of numbers.
// Not thread-safe by itself; internal to the view.

#include "messages/state.hpp"

#include <memory>
#include <unordered_map>

namespace poseidon::gateway {

/// One decision: its words' numbers, packed.
using packed_decision = std::unique_ptr<std::uint32_t[]>;

class decision_words {
public:
  packed_decision pack(const placement_decision& decision);
  /// As it was packed; scores above 2^32 - 1 are that.
  placement_decision unpack(const packed_decision& packed) const;
  std::size_t size() const { return texts_.size(); }

private:
  /// Beyond this many texts (they are few: node names, labels, phrases) new ones read as an empty one.
  static constexpr std::size_t most = 20'000;
  std::uint32_t number_of(const std::string& text);
  std::vector<std::string> texts_{""};
  std::unordered_map<std::string, std::uint32_t> numbers_{{"", 0}};
};

} // namespace poseidon::gateway
