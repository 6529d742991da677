#include "nodes/host/load_cache.hpp"

namespace poseidon {

host_load load_cache::read() {
  const std::lock_guard lock{mutex_};
  const auto now = time_->boot_now();
  if (now - read_at_ >= fresh_for) {
    last_ = reader_.read();
    read_at_ = now;
  }
  return last_;
}

} // namespace poseidon
