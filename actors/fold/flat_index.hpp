#pragma once
// A hash index from keys to item numbers. The keys stay with the items: 8 bytes a slot, no node per key.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace poseidon {

/// Open addressing with linear probing; erasing shifts back, so there are no tombstones. The caller hashes and compares.
class flat_index {
public:
  static constexpr std::uint32_t none = 0xffffffffu;

  /// The item with this hash for which `same(item)` holds; `none` when there is no such item.
  template <class Same>
  std::uint32_t find(std::size_t hash, Same&& same) const {
    if (cells_.empty()) return none;
    const auto want = fold_hash(hash);
    for (std::size_t i = want & mask(); cells_[i].item != none; i = (i + 1) & mask())
      if (cells_[i].hash == want && same(cells_[i].item)) return cells_[i].item;
    return none;
  }
  /// Adds an item that is not there yet.
  void insert(std::size_t hash, std::uint32_t item);
  /// Takes an item out; false when it was not there.
  bool erase(std::size_t hash, std::uint32_t item);
  std::size_t size() const { return size_; }
  void clear();

private:
  struct cell {
    std::uint32_t hash = 0, item = none;
  };
  static std::uint32_t fold_hash(std::size_t hash) {
    return static_cast<std::uint32_t>(hash ^ (static_cast<std::uint64_t>(hash) >> 32));
  }
  std::size_t mask() const { return cells_.size() - 1; }
  void grow();
  void put(cell c);

  std::vector<cell> cells_;
  std::size_t size_ = 0;
};

} // namespace poseidon
