#pragma once
// What every log has to keep, whatever stands behind it: one suite, each implementation a parameter.

#include "actors/interfaces.hpp"
#include "test/support/virtual_clock.hpp"

#include <functional>
#include <memory>
#include <ostream>
#include <string>

namespace poseidon::test {

/// One log with something durable behind its front.
class log_under_test {
public:
  virtual ~log_under_test() = default;
  /// Opens a front on what is there.
  virtual log_actor open(caf::actor_system& system) = 0;
  /// Makes what a crash at this moment would leave behind the thing that the next open() finds. The front still runs.
  virtual void crash() = 0;
};

struct log_kind {
  std::string name;
  std::function<std::unique_ptr<log_under_test>(const clock&)> make;
  friend void PrintTo(const log_kind& kind, std::ostream* out) { *out << kind.name; } // for GoogleTest
};

} // namespace poseidon::test
