#pragma once

#include <boost/asio/ip/address.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace poseidon {

/// Counts connections, all together and by source. A source is an IPv4 address or an IPv6 /64. Thread-safe.
class source_limits {
public:
  enum class entered { yes, full, source_full };
  source_limits(std::size_t most, std::size_t most_per_source) : most_(most), most_per_source_(most_per_source) {}
  /// Counts one more from `source`, unless a bound is reached. Each `yes` is to be followed by one leave().
  entered enter(const boost::asio::ip::address& source);
  void leave(const boost::asio::ip::address& source);
  std::size_t size() const { return total_.load(std::memory_order_relaxed); }

private:
  static std::uint64_t key_of(const boost::asio::ip::address& source);
  struct alignas(64) shard {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, std::size_t> counts;
  };
  std::size_t most_, most_per_source_;
  std::atomic<std::size_t> total_ = 0;
  std::array<shard, 16> shards_;
};

} // namespace poseidon
