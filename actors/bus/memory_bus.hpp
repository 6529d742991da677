#pragma once
// The bus inside one process: for tests and simulations. Delivers at once, on the caller's thread, or as its courier does.

#include "actors/bus/bus.hpp"

namespace poseidon {

/// Carries a frame from one place to another: calls `deliver` at once or later, more than once, or never (it was lost).
using bus_courier = std::function<void(const std::string& from, const std::string& to, std::function<void()> deliver)>;

class memory_bus_hub {
public:
  explicit memory_bus_hub(std::shared_ptr<const clock> time, bus_courier courier = {});
  ~memory_bus_hub();
  /// One process's place.
  std::unique_ptr<bus> join(std::string name);
  /// Cuts a process off, or lets it back: nothing reaches it or comes from it, and its open requests end as unknown.
  void cut(const std::string& name, bool away);
  /// Ends requests whose time is over.
  void expire();

private:
  struct shared;
  class place;
  std::shared_ptr<shared> shared_;
};

} // namespace poseidon
