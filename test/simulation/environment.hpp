#pragma once
// What the environment says of how long to simulate. POSEIDON_SIMULATION_SECONDS: for all simulations together.

#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace poseidon::simulation {

inline constexpr std::uint64_t usual_seconds = 60;
/// Of the time, for seeds of one process and of a cluster.
inline constexpr std::uint64_t process_share_percent = 30, cluster_share_percent = 70;

inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

inline std::chrono::milliseconds seconds_of(std::uint64_t share_percent) {
  return std::chrono::milliseconds(number_from("POSEIDON_SIMULATION_SECONDS", usual_seconds) * 10 * share_percent);
}

} // namespace poseidon::simulation
