#include "actors/fold/flat_index.hpp"

namespace poseidon {

void flat_index::put(cell c) {
  std::size_t i = c.hash & mask();
  while (cells_[i].item != none) i = (i + 1) & mask();
  cells_[i] = c;
}

void flat_index::grow() {
  auto old = std::move(cells_);
  cells_.assign(old.empty() ? 16 : old.size() * 2, cell{});
  for (const auto& c : old)
    if (c.item != none) put(c);
}

void flat_index::insert(std::size_t hash, std::uint32_t item) {
  if ((size_ + 1) * 4 > cells_.size() * 3) grow();
  put({fold_hash(hash), item});
  ++size_;
}

bool flat_index::erase(std::size_t hash, std::uint32_t item) {
  if (cells_.empty()) return false;
  std::size_t hole = fold_hash(hash) & mask();
  while (cells_[hole].item != item) {
    if (cells_[hole].item == none) return false;
    hole = (hole + 1) & mask();
  }
  for (std::size_t i = (hole + 1) & mask(); cells_[i].item != none; i = (i + 1) & mask()) {
    // An item may move into the hole unless its home lies cyclically after the hole.
    const std::size_t home = cells_[i].hash & mask();
    if (((i - home) & mask()) >= ((i - hole) & mask())) {
      cells_[hole] = cells_[i];
      hole = i;
    }
  }
  cells_[hole] = {};
  --size_;
  return true;
}

void flat_index::clear() {
  cells_.clear();
  size_ = 0;
}

} // namespace poseidon
