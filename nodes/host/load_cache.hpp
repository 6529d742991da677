#pragma once

#include "messages/time.hpp"
#include "nodes/host/host_load.hpp"

#include <memory>
#include <mutex>

namespace poseidon {

/// The machine's load, read anew when the last reading is older than a second. Thread-safe, quick.
class load_cache {
public:
  explicit load_cache(std::shared_ptr<const clock> time) : time_(std::move(time)) {}
  host_load read();

private:
  static constexpr millis fresh_for{1'000};
  std::shared_ptr<const clock> time_;
  std::mutex mutex_;
  load_reader reader_;
  host_load last_;
  boot_time read_at_{-fresh_for.count()};
};

} // namespace poseidon
