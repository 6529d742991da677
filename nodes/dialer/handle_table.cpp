#include "nodes/dialer/handle_table.hpp"

#include <algorithm>

namespace poseidon {

handle_table::handle_table(std::size_t capacity) : capacity_(std::clamp<std::size_t>(capacity, 1, capacity_max)) {}

std::uint64_t handle_table::insert(held_process process) {
  slot* best = nullptr;
  for (std::size_t i = 0; i < capacity_; ++i) {
    auto& candidate = slots_[i];
    if (!candidate.taken) {
      best = &candidate;
      break;
    }
    if (!best || candidate.used < best->used) best = &candidate;
  }
  if (!best->taken) ++size_;
  best->taken = true;
  best->process = std::move(process);
  best->used = ++uses_;
  if (++best->generation == 0) ++best->generation; // so that no handle is 0
  return (std::uint64_t{best->generation} << 32) | static_cast<std::uint64_t>(best - slots_.data());
}

handle_table::slot* handle_table::at(std::uint64_t handle) {
  const auto index = static_cast<std::size_t>(handle & 0xffffffffu);
  if (index >= capacity_) return nullptr;
  auto& found = slots_[index];
  return found.taken && found.generation == handle >> 32 ? &found : nullptr;
}

held_process* handle_table::find(std::uint64_t handle) {
  auto* found = at(handle);
  if (!found) return nullptr;
  found->used = ++uses_;
  return &found->process;
}

bool handle_table::erase(std::uint64_t handle) {
  auto* found = at(handle);
  if (!found) return false;
  found->taken = false;
  found->process = {};
  --size_;
  return true;
}

} // namespace poseidon
