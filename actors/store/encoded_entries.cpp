#include "actors/store/encoded_entries.hpp"

#include "messages/codec.hpp"

namespace poseidon {

encoded_entries& encoded_entries::of_process() {
  static encoded_entries all;
  return all;
}

void encoded_entries::put(const entry_ptr& what, std::string bytes) {
  if (bytes.size() > most_bytes) return;
  slot kept{what, std::move(bytes)};
  const std::lock_guard lock{mutex_};
  std::swap(slot_of(what), kept);
}

std::string encoded_entries::take(const entry_ptr& what) {
  slot kept;
  {
    const std::lock_guard lock{mutex_};
    if (auto& here = slot_of(what); !here.what.owner_before(what) && !what.owner_before(here.what)) std::swap(here, kept);
  }
  return kept.bytes.empty() ? encode(*what) : std::move(kept.bytes);
}

} // namespace poseidon
