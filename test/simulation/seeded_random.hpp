#pragma once
// Random bits of a simulation.

#include "messages/random.hpp"

#include <random>

namespace poseidon::simulation {

class seeded_random : public random_source {
public:
  explicit seeded_random(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> bytes) override {
    for (auto& b : bytes) b = static_cast<std::uint8_t>(engine_());
  }
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool chance(std::uint32_t per_million) { return below(1'000'000) < per_million; }

private:
  std::mt19937_64 engine_;
};

} // namespace poseidon::simulation
