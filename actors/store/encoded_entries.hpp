#pragma once
// Bytes of entries that the log's store has written, for the tail's, which writes the same ones a moment later. A memory, not
// a promise: what is not in it is encoded again.

#include "messages/entries.hpp"

#include <array>
#include <mutex>

namespace poseidon {

class encoded_entries {
public:
  /// The one of this process; any thread.
  static encoded_entries& of_process();
  void put(const entry_ptr& what, std::string bytes);
  /// The bytes of this very object, or a fresh encoding.
  std::string take(const entry_ptr& what);

private:
  static constexpr std::size_t slots = 1024, most_bytes = 4096; ///< of one entry
  struct slot {
    std::weak_ptr<const entry> what; ///< its address is not another's while this lives
    std::string bytes;
  };
  slot& slot_of(const entry_ptr& what) { return all_[reinterpret_cast<std::uintptr_t>(what.get()) / sizeof(entry) % slots]; }

  std::mutex mutex_;
  std::array<slot, slots> all_;
};

} // namespace poseidon
