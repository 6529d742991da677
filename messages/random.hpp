#pragma once
// Where random bits come from: a port, so that a simulation can replay them.

#include "messages/ids.hpp"

#include <span>

namespace poseidon {

/// Thread-safe in its real form.
class random_source {
public:
  virtual ~random_source() = default;
  /// Fills all of it.
  virtual void fill(std::span<std::uint8_t> bytes) = 0;

  std::uint64_t next() {
    std::uint8_t raw[8];
    fill(raw);
    std::uint64_t value = 0;
    for (auto b : raw) value = value << 8 | b;
    return value;
  }
};

/// The operating system's, through OpenSSL; ends the process if that fails (no id can be trusted then).
random_source& system_random();

/// A new random_id; never empty.
template <class Id>
Id mint(random_source& from) {
  Id id;
  do id = Id{from.next(), from.next()};
  while (id.empty());
  return id;
}

/// A new instance id: 26 letters and digits.
instance_id mint_instance_id(random_source& from);

} // namespace poseidon
