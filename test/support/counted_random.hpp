#pragma once

#include "messages/random.hpp"

namespace poseidon::test {

/// Ids in a fixed order.
class counted_random : public random_source {
public:
  void fill(std::span<std::uint8_t> bytes) override {
    for (auto& b : bytes) b = static_cast<std::uint8_t>((state_ = state_ * 6364136223846793005u + 1442695040888963407u) >> 56);
  }

private:
  std::uint64_t state_ = 42;
};

} // namespace poseidon::test
