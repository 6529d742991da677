#pragma once

#include "messages/ids.hpp"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace poseidon {

/// Where the edges of other machines take connections, as their processes announce it. Thread-safe.
class known_relays {
public:
  /// An edge process was heard: of this machine, to be reached at `address` ("host:port"; empty: nowhere).
  void heard(const std::string& process, const machine_id& machine, const std::string& address) {
    const std::lock_guard lock{mutex_};
    if (address.empty()) places_.erase(process);
    else places_[process] = {machine, address};
  }
  /// It has been silent for too long, or said that it ends.
  void lost(const std::string& process) {
    const std::lock_guard lock{mutex_};
    places_.erase(process);
  }
  std::vector<std::string> of(const machine_id& machine) const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> found;
    for (const auto& [process, place] : places_)
      if (place.machine == machine) found.push_back(place.address);
    return found;
  }

private:
  struct place {
    machine_id machine;
    std::string address;
  };
  mutable std::mutex mutex_;
  std::map<std::string, place> places_; ///< by process
};

} // namespace poseidon
